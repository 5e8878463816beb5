#pragma once

#include "gui/models/Inspection.h"
#include "gui/widgets/ThemeHolder.h"

#include <QWidget>

class QLabel;

namespace loadlab {

/// Icon and few words beside a field.
class RemarkLabel : public QWidget {
    Q_OBJECT

public:
    explicit RemarkLabel(const ThemeHolder& theme, QWidget* parent = nullptr);

    void show(const Remark& remark);
    /// Muted words without an icon: a hint that is always true.
    void showHint(const QString& words);
    void clear();
    [[nodiscard]] QString words() const;

private:
    void refresh();

    const ThemeHolder& m_theme;
    Remark::Level m_level = Remark::Level::Ok;
    bool m_signed = false;
    QLabel* m_sign;
    QLabel* m_words;
};

} // namespace loadlab
