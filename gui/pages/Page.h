#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QList>
#include <QSettings>
#include <QWidget>

#include <initializer_list>

class QHeaderView;
class QSplitter;

namespace loadlab {

/// A page of the window. Pages do not know each other: they emit wishes, and the window decides.
class Page : public QWidget {
    Q_OBJECT

public:
    explicit Page(const ThemeHolder& theme, QWidget* parent = nullptr);

    /// Where F6 goes, in reading order; hidden ones are passed over.
    [[nodiscard]] virtual QList<QWidget*> panes() const { return {}; }
    /// Ctrl+F: to the page's search field.
    virtual void focusFind() { }
    /// Columns, splitters, filters; the settings stand in the page's own group.
    virtual void saveTo(QSettings& settings) const = 0;
    virtual void restoreFrom(const QSettings& settings) = 0;

protected:
    [[nodiscard]] const ThemeHolder& theme() const { return m_theme; }

    /// The page from top to bottom; the last takes the room that is left.
    void stackUp(std::initializer_list<QWidget*> rows);
    /// The page's margin around what stands below the header.
    [[nodiscard]] QWidget* padded(QWidget* body);
    static void save(QSettings& settings, const QString& key, const QSplitter& splitter);
    static void restore(const QSettings& settings, const QString& key, QSplitter& splitter);
    static void save(QSettings& settings, const QString& key, const QHeaderView& header);
    static void restore(const QSettings& settings, const QString& key, QHeaderView& header);

private:
    const ThemeHolder& m_theme;
};

} // namespace loadlab
