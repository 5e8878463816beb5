#include "gui/widgets/FitBar.h"

#include "gui/widgets/Figures.h"
#include "gui/widgets/Type.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

double axisEnd(const FitBar::Values& values)
{
    return 1.15
        * static_cast<double>(std::max({values.poolBytes, values.highBytes, values.lowBytes, std::uint64_t{1}}));
}

QString spoken(const FitBar::Values& values)
{
    QString words = QStringLiteral("Needs %1 of %2")
                        .arg(figures::sizeRange(values.lowBytes, values.highBytes), figures::size(values.poolBytes));
    if (values.guardBytes)
        words += QStringLiteral(", guard at %1").arg(figures::size(*values.guardBytes));
    return words;
}

/// 1, 2 or 5 × 10ⁿ so that at most `most` steps reach `end`.
double niceStep(double end, int most)
{
    const double rough = end / most;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (rough <= factor * power)
            return factor * power;
    return 10 * power;
}

} // namespace

FitBar::FitBar(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme, &ThemeHolder::themeChanged, this, qOverload<>(&QWidget::update));
}

void FitBar::setValues(const Values& values)
{
    m_values = values;
    m_values.highBytes = std::max(values.lowBytes, values.highBytes);
    setAccessibleName(spoken(m_values));
    setToolTip(spoken(m_values));
    update();
}

void FitBar::setTall(bool tall)
{
    m_tall = tall;
    updateGeometry();
    update();
}

QSize FitBar::sizeHint() const
{
    return m_tall ? QSize(320, 2 * QFontMetrics(font()).height() + 17 + 10) : QSize(96, 16);
}

QSize FitBar::minimumSizeHint() const
{
    return {m_tall ? 160 : 40, sizeHint().height()};
}

QRectF FitBar::barRect() const
{
    if (m_tall)
        return {0.0, QFontMetrics(font()).height() + 4.0, width() - 1.0, 17.0};
    return {0.0, std::floor((height() - 6) / 2.0), width() - 1.0, 6.0};
}

void FitBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF bar = barRect();
    const double end = axisEnd(m_values);
    const auto x = [&](double bytes) { return bar.left() + bar.width() * std::clamp(bytes / end, 0.0, 1.0); };
    const auto part = [&](double from, double to) { return QRectF(x(from), bar.top(), x(to) - x(from), bar.height()); };
    const auto other = static_cast<double>(m_values.otherBytes);
    const auto low = static_cast<double>(m_values.lowBytes);
    const auto high = static_cast<double>(m_values.highBytes);
    const auto pool = static_cast<double>(m_values.poolBytes);
    const QColor need = m_theme.color(low > pool && pool > 0 ? Role::Fail : Role::Resident);
    painter.fillRect(bar, m_theme.color(Role::Hair));
    painter.fillRect(part(other, std::max(other, low)), blend(need, m_theme.color(Role::Base), 0.8));
    painter.fillRect(part(std::max(other, low), high), QBrush(need, Qt::Dense4Pattern));
    painter.fillRect(part(0, std::min(other, high)), m_theme.color(Role::Other));
    const qreal overhang = m_tall ? 4 : 5;
    if (m_values.guardBytes && m_tall)
        paintMark(painter, x(static_cast<double>(*m_values.guardBytes)), overhang,
            QPen(m_theme.color(Role::Info), 1.6, Qt::DashLine));
    if (pool > 0)
        paintMark(painter, x(pool), overhang, QPen(m_theme.color(m_tall ? Role::Fail : Role::Text), 1.6));
    if (m_tall)
        paintWords(painter);
}

void FitBar::paintMark(QPainter& painter, qreal x, qreal overhang, const QPen& pen) const
{
    const QRectF bar = barRect();
    painter.setPen(pen);
    painter.drawLine(QPointF(x, bar.top() - overhang), QPointF(x, bar.bottom() + overhang));
}

void FitBar::paintWords(QPainter& painter) const
{
    const QRectF bar = barRect();
    const double end = axisEnd(m_values);
    const auto x = [&](double bytes) { return bar.left() + bar.width() * bytes / end; };
    const int height = QFontMetrics(font()).height();
    painter.setFont(type::sized(font(), type::kSmall));
    painter.setPen(m_theme.color(Role::Muted));
    const double step = niceStep(end / kGiB, 8);
    const int decimals = step < 1 ? static_cast<int>(std::ceil(-std::log10(step))) : 0;
    for (double tick = 0; tick * kGiB <= end; tick += step) {
        const QRectF box(x(tick * kGiB) - 40, bar.bottom() + 4, 80, height);
        const auto align = tick == 0 ? Qt::AlignLeft : Qt::AlignHCenter;
        const bool last = (tick + step) * kGiB > end;
        painter.drawText(tick == 0 ? box.translated(40, 0) : box, align,
            QString::number(tick, 'f', decimals) + (last ? QStringLiteral(" GiB") : QString()));
    }
    QRectF row(0, 0, width(), height);
    painter.drawText(
        row, Qt::AlignLeft, QStringLiteral("Peak %1").arg(figures::sizeRange(m_values.lowBytes, m_values.highBytes)));
    const QFontMetricsF metrics(painter.font());
    const QString pool = figures::gib(m_values.poolBytes);
    const double poolAt
        = std::min(x(static_cast<double>(m_values.poolBytes)) + 2, width() - metrics.horizontalAdvance(pool));
    painter.setPen(m_theme.color(Role::Fail));
    painter.drawText(QRectF(poolAt, 0, metrics.horizontalAdvance(pool) + 2, height), Qt::AlignLeft, pool);
    if (!m_values.guardBytes)
        return;
    const QString guard = QStringLiteral("guard %1").arg(figures::gib(*m_values.guardBytes));
    const double guardEnd = std::min(x(static_cast<double>(*m_values.guardBytes)), poolAt - 6);
    painter.setPen(m_theme.color(Role::Info));
    painter.drawText(QRectF(guardEnd - 120, 0, 120, height), Qt::AlignRight, guard);
}

} // namespace loadlab
