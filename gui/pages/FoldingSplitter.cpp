#include "gui/pages/FoldingSplitter.h"

#include <QCoreApplication>
#include <QSettings>

namespace loadlab {
namespace {

QString keyOf(const QString& key, bool below)
{
    return below ? key + QStringLiteral("Below") : key;
}

} // namespace

FoldingSplitter::FoldingSplitter(QWidget* list, QWidget* details, QList<int> beside, QList<int> below, QWidget* parent)
    : QSplitter(Qt::Horizontal, parent)
    , m_first{std::move(beside), std::move(below)}
{
    addWidget(list);
    addWidget(details);
    setChildrenCollapsible(false);
    for (int pane = 0; pane < 2; ++pane)
        setStretchFactor(pane, m_first[0][pane] / 10);
    takeSizes();
}

void FoldingSplitter::resizeEvent(QResizeEvent* event)
{
    if (const bool below = window()->width() < kFoldBelow; below != isFolded())
        fold(below);
    QSplitter::resizeEvent(event);
}

void FoldingSplitter::fold(bool below)
{
    // Before it is shown the sizes are nobody's choice.
    if (isVisible())
        m_states[isFolded()] = saveState();
    setOrientation(below ? Qt::Vertical : Qt::Horizontal);
    Q_EMIT folded(below);
    // The details need another width from now on; what they needed before would be kept for the sizes.
    QCoreApplication::sendPostedEvents(nullptr, QEvent::LayoutRequest);
    takeSizes();
}

void FoldingSplitter::takeSizes()
{
    const Qt::Orientation way = orientation();
    if (m_states[isFolded()].isEmpty() || !restoreState(m_states[isFolded()]) || orientation() != way) {
        setOrientation(way);
        setSizes(m_first[isFolded()]);
    }
    // A pane that was dragged to nothing could not be found again.
    setChildrenCollapsible(false);
}

void FoldingSplitter::saveTo(QSettings& settings, const QString& key) const
{
    settings.setValue(keyOf(key, isFolded()), saveState());
    if (const QByteArray& other = m_states[!isFolded()]; !other.isEmpty())
        settings.setValue(keyOf(key, !isFolded()), other);
}

void FoldingSplitter::restoreFrom(const QSettings& settings, const QString& key)
{
    for (const bool below : {false, true})
        m_states[below] = settings.value(keyOf(key, below)).toByteArray();
    takeSizes();
}

} // namespace loadlab
