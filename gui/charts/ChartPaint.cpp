#include "gui/charts/ChartPaint.h"

#include "gui/widgets/Figures.h"
#include "gui/widgets/Type.h"

#include <QPainter>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace loadlab {
namespace {

constexpr double kMarkSize = 4.5;
constexpr double kPadding = 6;
constexpr double kFlatBytesPerS = 512.0 * 1024.0;

/// Hairlines sit between pixels; here they are put on one.
double crisp(double pixel)
{
    return std::floor(pixel) + 0.5;
}

} // namespace

QString rateWords(double bytesPerS)
{
    return std::fabs(bytesPerS) < kFlatBytesPerS ? QStringLiteral("flat") : figures::rate(bytesPerS);
}

QVector<double> spread(const QVector<double>& middles, const QVector<double>& heights, double top, double bottom)
{
    // Blocks of labels that touch, each placed at the mean of what its labels want (pool adjacent violators).
    struct Block {
        double wanted;
        double height;
        int count;
        [[nodiscard]] double from() const { return wanted / count - height / 2; }
    };
    std::vector<Block> blocks;
    for (qsizetype i = 0; i < middles.size(); ++i) {
        blocks.push_back({middles[i], heights[i], 1});
        while (blocks.size() > 1) {
            Block& before = blocks[blocks.size() - 2];
            const Block& last = blocks.back();
            if (before.from() + before.height <= last.from())
                break;
            before = {before.wanted + last.wanted, before.height + last.height, before.count + last.count};
            blocks.pop_back();
        }
    }
    QVector<double> placed;
    double edge = top;
    double below = std::accumulate(heights.begin(), heights.end(), 0.0);
    for (const Block& block : blocks) {
        double y = std::max(edge, std::min(block.from(), bottom - below));
        for (int i = 0; i < block.count; ++i) {
            const double height = heights[placed.size()];
            placed << y + height / 2;
            y += height;
        }
        edge = y;
        below -= block.height;
    }
    return placed;
}

ChartPaint::ChartPaint(QPainter& painter, const PlotView& plot, const Theme& theme, const QFont& font, bool compact)
    : m_painter(painter)
    , m_plot(plot)
    , m_theme(theme)
    , m_font(type::sized(font, type::kSmall))
    , m_boldFont(type::sized(font, type::kSmall, true))
    , m_metrics(m_font)
    , m_rect(plot.plotRect())
    , m_compact(compact)
{
    m_painter.setRenderHint(QPainter::Antialiasing);
    m_painter.setBrush(Qt::NoBrush);
}

double ChartPaint::width(const QString& words, bool bold) const
{
    return QFontMetricsF(bold ? m_boldFont : m_font).horizontalAdvance(words);
}

void ChartPaint::text(const QRectF& rect, int flags, const QString& words, const QColor& color, bool bold)
{
    m_painter.setFont(bold ? m_boldFont : m_font);
    m_painter.setPen(color);
    m_painter.drawText(rect, flags | Qt::TextSingleLine, words);
}

void ChartPaint::backedText(const QPointF& topLeft, const QString& words, const QColor& color, bool bold)
{
    const QRectF box(topLeft, QSizeF(width(words, bold) + 4, line()));
    QColor ground = m_theme.color(Role::Base);
    ground.setAlphaF(0.72F);
    m_painter.fillRect(box, ground);
    text(box.adjusted(2, 0, 2, 0), Qt::AlignLeft | Qt::AlignVCenter, words, color, bold);
}

void ChartPaint::phaseBands(const std::vector<Phase>& phases)
{
    for (std::size_t i = 0; i < phases.size(); ++i) {
        const auto [from, to] = extentOf(phases[i]);
        if (to - from < 0.5)
            continue;
        m_painter.fillRect(
            QRectF(from, m_rect.top(), to - from, m_rect.height()), m_theme.color(i % 2 ? Role::PhaseB : Role::PhaseA));
        if (i == 0 || from <= m_rect.left())
            continue;
        m_painter.setPen(QPen(m_theme.color(Role::Border), 1));
        m_painter.drawLine(QPointF(crisp(from), m_rect.top()), QPointF(crisp(from), m_rect.bottom()));
    }
}

void ChartPaint::phaseWords(const std::vector<Phase>& phases)
{
    for (const Phase& phase : phases) {
        const auto [from, to] = extentOf(phase);
        const QString name = QString::fromStdString(phase.name);
        if (width(name, true) + 2 * kPadding > to - from)
            continue;
        const QRectF top(from + kPadding, m_rect.top() + 3, to - from, line());
        double widest = width(name, true);
        text(top, Qt::AlignLeft | Qt::AlignTop, name, m_theme.color(Role::Text), true);
        const QString rate = rateWords(phase.rateBytesPerS);
        if (!m_compact && width(rate) + 2 * kPadding <= to - from) {
            text(top.translated(0, line()), Qt::AlignLeft | Qt::AlignTop, rate, m_theme.color(Role::Muted));
            widest = std::max(widest, width(rate));
        }
        m_phaseWords.append({top.left(), m_rect.top(), widest, 2.2 * line()});
    }
}

std::pair<double, double> ChartPaint::extentOf(const Phase& phase) const
{
    return {std::clamp(m_plot.X(phase.fromS), m_rect.left(), m_rect.right()),
        std::clamp(m_plot.X(phase.toS), m_rect.left(), m_rect.right())};
}

void ChartPaint::grid(const Ticks& sizes)
{
    m_painter.setPen(QPen(m_theme.color(Role::Hair), 1));
    for (const Ticks::Tick& tick : sizes.ticks) {
        const double y = crisp(m_plot.Y(tick.at));
        if (y > m_rect.top() - 1)
            m_painter.drawLine(QPointF(m_rect.left(), y), QPointF(m_rect.right(), y));
    }
}

void ChartPaint::sizeAxis(const Ticks& sizes, bool logScale)
{
    const double right = m_rect.left() - kPadding;
    for (const Ticks::Tick& tick : sizes.ticks)
        text(QRectF(right - 80, m_plot.Y(tick.at) - line() / 2.0, 80, line()), Qt::AlignRight | Qt::AlignVCenter,
            tick.words, m_theme.color(Role::Muted));
    if (sizes.unit.isEmpty())
        return;
    const double y = m_rect.top() - line() - line() / 2.0;
    if (logScale)
        text(QRectF(m_rect.left() - 40, y, 300, line()), Qt::AlignLeft, sizes.unit + QStringLiteral(", log scale"),
            m_theme.color(Role::Muted));
    else
        text(QRectF(right - 80, y, 80, line()), Qt::AlignRight, sizes.unit, m_theme.color(Role::Muted));
}

void ChartPaint::timeAxis(const Ticks& times, bool words)
{
    const double y = crisp(m_rect.bottom());
    m_painter.setPen(QPen(m_theme.color(Role::Muted), 1));
    m_painter.drawLine(QPointF(m_rect.left(), y), QPointF(m_rect.right(), y));
    if (!words)
        return;
    for (const Ticks::Tick& tick : times.ticks) {
        const double x = crisp(m_plot.X(tick.at));
        m_painter.setPen(QPen(m_theme.color(Role::Muted), 1));
        m_painter.drawLine(QPointF(x, y), QPointF(x, y + 3));
        // The unit hangs over to the right, so that the figure itself stands under its tick.
        const double figure = width(tick.words.section(u' ', 0, 0));
        text(QRectF(x - figure / 2, y + 4, width(tick.words) + 2, line()), Qt::AlignLeft | Qt::AlignTop, tick.words,
            m_theme.color(Role::Muted));
    }
}

void ChartPaint::limits(const std::vector<ChartLimit>& limits, double topBytes, const SizeUnit& unit)
{
    for (const ChartLimit& limit : limits) {
        const bool guard = limit.kind == ChartLimit::Kind::Guard;
        const QColor color = m_theme.color(guard ? Role::Info : Role::Fail);
        const double left = m_rect.left() + kPadding;
        if (limit.bytes > topBytes) {
            // Far above the curve a line would flatten it: words alone say so.
            const QString words = QStringLiteral("↑ %1").arg(limit.words.isEmpty()
                    ? QStringLiteral("limit %1 %2").arg(inUnit(limit.bytes, unit), unit.name)
                    : limit.words);
            text(QRectF(m_rect.left(), m_rect.top() - 1.4 * line(), m_rect.width() - 2, line()), Qt::AlignRight, words,
                color);
            continue;
        }
        const double y = m_plot.Y(limit.bytes);
        QPen pen(color, 1.4);
        if (guard)
            pen.setDashPattern({6, 2, 1, 2});
        m_painter.setPen(pen);
        m_painter.drawLine(QPointF(m_rect.left(), y), QPointF(m_rect.right(), y));
        text(QRectF(left, guard ? y + 1 : y - line() - 1, m_rect.width(), line()), Qt::AlignLeft | Qt::AlignVCenter,
            limit.words, color, !guard);
    }
}

void ChartPaint::marks(const std::vector<ChartMark>& marks)
{
    double free = m_rect.left();
    for (const ChartMark& mark : marks) {
        const double x = m_plot.X(mark.atS);
        if (x < m_rect.left() || x > m_rect.right())
            continue;
        m_painter.setPen(QPen(m_theme.color(Role::Text), 1.4));
        m_painter.drawLine(QPointF(x, m_rect.bottom() - line()), QPointF(x, m_rect.bottom()));
        const double needed = width(mark.words) + 8;
        const bool toTheLeft = x + needed > m_rect.right();
        const double left = toTheLeft ? x - needed : x + 3;
        if (mark.words.isEmpty() || left < free || m_compact)
            continue;
        backedText({left, m_rect.bottom() - line() - 2}, mark.words, m_theme.color(Role::Text));
        free = left + needed;
    }
}

void ChartPaint::endWords(const QPointF& at, const QString& words, const QColor& color, const Highest& highest,
    const std::vector<ChartLimit>& limits)
{
    const double needed = width(words, true) + 8;
    const double left
        = at.x() - needed - 4 > m_rect.left() ? at.x() - needed - 4 : std::min(at.x() + 8, m_rect.right() - needed);
    const double curve = m_plot.Y(highest(m_plot.xAt(left), m_plot.xAt(left + needed)));
    double top = std::min(at.y(), curve) - line() - 3;
    for (const ChartLimit& limit : limits)
        if (const double y = m_plot.Y(limit.bytes); y > top - 2 && y < top + line() + 2)
            top = y - line() - 2;
    // Where they would hide a phase's name and rate, or leave the plot, they go below the curve, into the bands.
    const QRectF place(left, top, needed, line());
    const bool taken = std::any_of(
        m_phaseWords.begin(), m_phaseWords.end(), [&](const QRectF& other) { return other.intersects(place); });
    if (taken || top < m_rect.top() + 1)
        top = std::min(at.y() + 8, m_rect.bottom() - 2 * line());
    backedText({left, top}, words, color, true);
}

void ChartPaint::end(const ChartEnd& end, double bytes, const QString& value, const Highest& highest,
    const std::vector<ChartLimit>& limits)
{
    const QPointF at(m_plot.X(end.atS), m_plot.Y(bytes));
    if (end.mark == ChartEnd::Mark::None || at.x() < m_rect.left() - 1 || at.x() > m_rect.right() + 1)
        return;
    const bool running = end.mark == ChartEnd::Mark::Running;
    const Role role = running                ? Role::Text
        : end.mark == ChartEnd::Mark::Loaded ? Role::Ok
        : end.mark == ChartEnd::Mark::Failed ? Role::Fail
                                             : Role::Neutral;
    const QColor color = m_theme.color(role);
    if (running) {
        m_painter.setPen(QPen(color, 1.4));
        m_painter.drawLine(QPointF(at.x(), m_rect.top() + 2.6 * line()), QPointF(at.x(), m_rect.bottom()));
    }
    if (const QString words = running ? value : end.words; !words.isEmpty() && !m_compact)
        endWords(at, words, color, highest, limits);
    const double r = kMarkSize;
    m_painter.setBrush(m_theme.color(Role::Base));
    m_painter.setPen(QPen(running ? m_theme.color(Role::Resident) : color, 1.8));
    if (end.mark == ChartEnd::Mark::Failed) {
        m_painter.drawLine(at + QPointF(-r, -r), at + QPointF(r, r));
        m_painter.drawLine(at + QPointF(-r, r), at + QPointF(r, -r));
    } else if (end.mark == ChartEnd::Mark::Unknown) {
        m_painter.drawRect(QRectF(at.x() - r + 1, at.y() - r + 1, 2 * r - 2, 2 * r - 2));
    } else {
        if (!running)
            m_painter.setBrush(color);
        m_painter.drawEllipse(at, r - 0.5, r - 0.5);
    }
    m_painter.setBrush(Qt::NoBrush);
}

void ChartPaint::labels(std::vector<EdgeLabel> labels)
{
    std::stable_sort(labels.begin(), labels.end(), [](const EdgeLabel& a, const EdgeLabel& b) { return a.y < b.y; });
    const double lines = m_compact ? 1 : 2;
    const bool remarks = lines * line() * static_cast<double>(labels.size()) <= m_rect.height() + line();
    QVector<double> middles, heights;
    for (const EdgeLabel& label : labels) {
        middles << label.y;
        heights << line() * (remarks && !m_compact && !label.remark.isEmpty() ? 2 : 1) + 2;
    }
    const QVector<double> placed
        = spread(middles, heights, m_rect.top() - line() / 2.0, m_rect.bottom() + line() / 2.0);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto at = static_cast<qsizetype>(i);
        const QRectF row(m_rect.right() + 7, placed[at] - heights[at] / 2, m_plot.width() - m_rect.right() - 8, line());
        text(row, Qt::AlignLeft | Qt::AlignVCenter, labels[i].name, labels[i].color, true);
        if (heights[at] > 1.5 * line())
            text(row.translated(0, line()), Qt::AlignLeft | Qt::AlignVCenter, labels[i].remark,
                m_theme.color(Role::Muted));
    }
}

void ChartPaint::selection(double fromS, double toS, const QString& words)
{
    const double from = std::clamp(m_plot.X(fromS), m_rect.left(), m_rect.right());
    const double to = std::clamp(m_plot.X(toS), m_rect.left(), m_rect.right());
    QColor fill = m_theme.color(Role::Accent);
    fill.setAlphaF(0.14F);
    m_painter.fillRect(QRectF(from, m_rect.top(), to - from, m_rect.height()), fill);
    m_painter.setPen(QPen(m_theme.color(Role::Accent), 1));
    m_painter.drawLine(QPointF(crisp(from), m_rect.top()), QPointF(crisp(from), m_rect.bottom()));
    m_painter.drawLine(QPointF(crisp(to), m_rect.top()), QPointF(crisp(to), m_rect.bottom()));
    if (words.isEmpty())
        return;
    const double left = std::clamp(
        (from + to - width(words)) / 2, m_rect.left(), std::max(m_rect.left(), m_rect.right() - width(words) - 6));
    backedText({left, m_rect.top() + 2.2 * line()}, words, m_theme.color(Role::Accent), false);
}

void ChartPaint::cursorLine(double atS)
{
    const double x = crisp(m_plot.X(atS));
    if (x < m_rect.left() || x > m_rect.right() + 1)
        return;
    m_painter.setPen(QPen(m_theme.color(Role::Text), 1));
    m_painter.drawLine(QPointF(x, m_rect.top()), QPointF(x, m_rect.bottom()));
}

void ChartPaint::hoverBox(
    double atS, const QString& title, const QString& value, const QString& remark, const QVector<BoxRow>& rows)
{
    const double x = m_plot.X(atS);
    if (x < m_rect.left() - 1 || x > m_rect.right() + 1)
        return;
    double inner = width(title, true) + 24 + width(value, true);
    for (const BoxRow& row : rows)
        inner = std::max(inner, 16 + width(row.name) + 24 + width(row.value));
    inner = std::max(inner, width(remark));
    const double rowHeight = line() + 2;
    const double height = rowHeight * static_cast<double>(rows.size() + 1 + (remark.isEmpty() ? 0 : 1)) + 12;
    const double boxWidth = inner + 20;
    const bool toTheLeft = x + 12 + boxWidth > m_rect.right();
    const double left = std::max(2.0, toTheLeft ? x - 12 - boxWidth : x + 12);
    const double top
        = std::clamp(m_rect.center().y() - height / 2, m_rect.top(), std::max(m_rect.top(), m_rect.bottom() - height));
    const QRectF box(crisp(left), crisp(top), std::floor(boxWidth), std::floor(height));
    m_painter.setPen(QPen(m_theme.color(Role::Border), 1));
    m_painter.setBrush(m_theme.color(Role::Base));
    m_painter.drawRoundedRect(box, 4, 4);
    m_painter.setBrush(Qt::NoBrush);
    QRectF row(box.left() + 10, box.top() + 6, inner, rowHeight);
    text(row, Qt::AlignLeft | Qt::AlignVCenter, title, m_theme.color(Role::Text), true);
    text(row, Qt::AlignRight | Qt::AlignVCenter, value, m_theme.color(Role::Text), true);
    if (!remark.isEmpty()) {
        row.translate(0, rowHeight);
        text(row, Qt::AlignLeft | Qt::AlignVCenter, remark, m_theme.color(Role::Muted));
    }
    for (const BoxRow& entry : rows) {
        row.translate(0, rowHeight);
        m_painter.fillRect(QRectF(row.left(), row.center().y() - 4, 8, 8), entry.color);
        text(row.adjusted(16, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, entry.name, m_theme.color(Role::Text));
        text(row, Qt::AlignRight | Qt::AlignVCenter, entry.value, m_theme.color(Role::Text));
    }
}

void ChartPaint::emptyWords(const QString& words)
{
    const QPointF middle = m_rect.center() - QPointF(width(words) / 2, line() / 2.0);
    backedText(middle, words, m_theme.color(Role::Muted));
}

} // namespace loadlab
