#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QKeySequence>
#include <QWidget>

class QLabel;

namespace loadlab {

class ActionButton;

/// What a page shows when it has nothing to show: icon, a fact, what to do next, one primary and one other action, the
/// shortcut. Errors look the same with the icon "warn".
class EmptyState : public QWidget {
    Q_OBJECT

public:
    explicit EmptyState(const ThemeHolder& theme, QWidget* parent = nullptr);

    void setWords(const QString& icon, const QString& fact, const QString& next);
    /// An empty text takes the button away.
    void setPrimary(const QString& text, const QString& icon = {});
    void setOther(const QString& text, const QString& icon = {});
    /// Muted line below the buttons: a shortcut or a command to type.
    void setHint(const QString& text);
    /// The hint as a key in the platform's words; the action itself belongs to the window's menu.
    void setShortcut(const QKeySequence& keys);

Q_SIGNALS:
    void primaryRequested();
    void otherRequested();

private:
    void refreshPicture();

    const ThemeHolder& m_theme;
    QString m_icon;
    QLabel* m_picture;
    QLabel* m_fact;
    QLabel* m_next;
    ActionButton* m_primary;
    ActionButton* m_other;
    QLabel* m_hint;
};

} // namespace loadlab
