#include "gui/pages/Page.h"

#include <QHeaderView>
#include <QSplitter>
#include <QVBoxLayout>

namespace loadlab {

Page::Page(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setObjectName(QStringLiteral("page"));
}

void Page::stackUp(std::initializer_list<QWidget*> rows)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    for (QWidget* row : rows)
        column->addWidget(row);
    column->setStretch(column->count() - 1, 1);
}

QWidget* Page::padded(QWidget* body)
{
    auto* box = new QWidget(this);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(12, 10, 12, 10);
    column->addWidget(body);
    return box;
}

void Page::save(QSettings& settings, const QString& key, const QSplitter& splitter)
{
    settings.setValue(key, splitter.saveState());
}

void Page::restore(const QSettings& settings, const QString& key, QSplitter& splitter)
{
    splitter.restoreState(settings.value(key).toByteArray());
    // A pane that was dragged to nothing could not be found again.
    splitter.setChildrenCollapsible(false);
}

void Page::save(QSettings& settings, const QString& key, const QHeaderView& header)
{
    settings.setValue(key, header.saveState());
}

void Page::restore(const QSettings& settings, const QString& key, QHeaderView& header)
{
    header.restoreState(settings.value(key).toByteArray());
}

} // namespace loadlab
