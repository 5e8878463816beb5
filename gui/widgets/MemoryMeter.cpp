#include "gui/widgets/MemoryMeter.h"

#include "gui/widgets/Figures.h"

#include <QPainter>

#include <algorithm>

namespace loadlab {

MemoryMeter::MemoryMeter(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(&theme, &ThemeHolder::themeChanged, this, qOverload<>(&QWidget::update));
}

void MemoryMeter::setValues(std::uint64_t usedBytes, std::uint64_t poolBytes, std::optional<std::uint64_t> guardBytes)
{
    m_used = usedBytes;
    m_pool = poolBytes;
    m_guard = guardBytes;
    QString words = QStringLiteral("Memory used, %1 of %2").arg(figures::gib(usedBytes), figures::size(poolBytes));
    if (guardBytes)
        words += QStringLiteral(", guard at %1").arg(figures::gib(*guardBytes));
    setAccessibleName(words);
    setToolTip(words);
    update();
}

void MemoryMeter::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const QRectF bar(0, (height() - 7) / 2, width(), 7);
    painter.fillRect(bar, m_theme.color(Role::Hair));
    if (m_pool == 0)
        return;
    const auto x = [&](std::uint64_t bytes) {
        return bar.width() * std::min(1.0, static_cast<double>(bytes) / static_cast<double>(m_pool));
    };
    painter.fillRect(QRectF(0, bar.top(), x(m_used), bar.height()), m_theme.color(Role::Resident));
    if (m_guard)
        painter.fillRect(QRectF(x(*m_guard) - 1, 0, 2, height()), m_theme.color(Role::Fail));
}

} // namespace loadlab
