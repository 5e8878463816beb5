#include "gui/charts/ChartScene.h"

#include "gui/widgets/Figures.h"
#include "gui/widgets/Type.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

constexpr float kFillShare = 0.30F;
constexpr double kEdge = 1.4;
constexpr double kShortestS = 1.0; ///< Of the whole range: a run of a few samples is not stretched further.
constexpr double kLimitInSight = 3.0; ///< A limit further up than this times the curve is told in words only.
constexpr int kMostSteps = 8;
constexpr double kLimitInSightLog = 1000.0;
constexpr double kPastShare = 0.4; ///< Of the range, beside a forecast.
constexpr double kSomeFuture = 1.35; ///< Times the past, where the forecast meets nothing in sight.
constexpr double kCacheWorthWords = 0.02;
constexpr double kEmptyScaleBytes = 1024.0 * 1024.0 * 1024.0;
constexpr double kLogFloorBytes = 1024.0 * 1024.0;

QColor filled(QColor color)
{
    color.setAlphaF(kFillShare);
    return color;
}

} // namespace

ChartScene::ChartScene(const ThemeHolder& theme, MemoryChart& chart)
    : plot(new PlotView(&chart))
    , m_theme(theme)
    , m_chart(chart)
{
    plot->setPainters(
        [this](QPainter& painter) { paintBehind(painter); }, [this](QPainter& painter) { paintFront(painter); });
    for (std::size_t i = 0; i < kLanes; ++i) {
        lanes[i] = new PlotView(&chart);
        lanes[i]->setPainters([this, i](QPainter& painter) { paintLaneBehind(painter, i); },
            [this, i](QPainter& painter) { paintLaneFront(painter, i); });
    }
}

std::size_t ChartScene::spokenSample() const
{
    if (document.end.mark == ChartEnd::Mark::Running)
        return bands.times().size() - 1;
    return shape == MemoryChart::Shape::Stacked ? bands.highestStack() : bands.highestTotal();
}

double ChartScene::heightAt(std::size_t sample) const
{
    return shape == MemoryChart::Shape::Stacked ? bands.stackAt(sample) : bands.total()[sample].y;
}

std::pair<double, double> ChartScene::wholeRange() const
{
    double last = bands.isEmpty() ? 10 : bands.times().back();
    double first = bands.isEmpty() ? 0 : std::min(0.0, bands.times().front());
    for (const Phase& phase : document.phases)
        last = std::max(last, std::min(phase.toS, last * 1.2));
    if (document.end.mark == ChartEnd::Mark::Running) {
        const double past = last;
        last = std::max(10.0, past * (document.forecast && !document.forecast->course.empty() ? kSomeFuture : 1.1));
        if (document.forecast)
            for (const ChartForecast::Arrow& arrow : document.forecast->arrows)
                last = std::max(last, std::min(1.08 * arrow.atS, past / kPastShare));
    }
    last = std::max(last, first + kShortestS);
    const double grain = niceStep(last - first, 20);
    // Rounded outwards; a sample at −0.02 s shall not cost a step.
    if (first > -0.05 * last)
        first = std::max(first, -0.02 * last);
    else
        first = std::floor(first / grain) * grain;
    return {first, std::ceil(last * 1.01 / grain) * grain};
}

double ChartScene::highestBytes() const
{
    double highest = 4096.0;
    if (!bands.isEmpty())
        highest = std::max(
            highest, heightAt(shape == MemoryChart::Shape::Stacked ? bands.highestStack() : bands.highestTotal()));
    if (!bands.gpu().empty())
        highest = std::max(highest, bands.gpu().highestBetween(bands.gpu().front().x, bands.gpu().back().x, highest));
    return highest;
}

double ChartScene::cacheBytes() const
{
    return shape == MemoryChart::Shape::Stacked && !bands.isEmpty() ? bands.valueOf(0, spokenSample()) : 0;
}

/// Where the course leaves the range, or meets its last limit in it.
double ChartScene::foreseenBytes() const
{
    if (!document.forecast || document.forecast->course.empty())
        return 0;
    const ChartForecast& forecast = *document.forecast;
    double highest = 0;
    for (const ChartForecast::Moment& moment : forecast.course)
        if (moment.atS <= toS)
            highest = moment.bytes;
    double met = 0;
    for (const ChartForecast::Arrow& arrow : forecast.arrows)
        if (arrow.atS <= toS)
            met = std::max(met, arrow.bytes);
    return cacheBytes() + (met > 0 ? std::min(highest, 1.1 * met) : highest);
}

std::vector<ChartLimit> ChartScene::drawnLimits() const
{
    std::vector<ChartLimit> limits = document.limits;
    const double cache = cacheBytes();
    for (ChartLimit& limit : limits) {
        if (!limit.aboveCache)
            continue;
        if (cache > kCacheWorthWords * limit.bytes)
            limit.words += QStringLiteral(" above page cache");
        limit.bytes += cache;
    }
    return limits;
}

double ChartScene::topBytes(double floor) const
{
    if (bands.isEmpty())
        return kEmptyScaleBytes;
    const double highest = highestBytes();
    double needed = std::max(highest, foreseenBytes());
    for (const ChartLimit& limit : drawnLimits())
        if (limit.bytes <= (floor > 0 ? kLimitInSightLog : kLimitInSight) * needed)
            needed = std::max(needed, limit.bytes);
    // Names of phases stand above the curve.
    const double height = std::max(60.0, plot->plotRect().height());
    const double line = QFontMetrics(type::sized(m_chart.font(), type::kSmall)).height();
    const double words = std::min(0.35, document.phases.empty() ? 0.04 : (compact ? 2.8 : 3.2) * line / height);
    if (floor > 0)
        return floor * std::pow(needed / floor, 1 / (1 - words));
    return needed / (1 - words);
}

void ChartScene::refresh()
{
    refreshPlot();
    for (std::size_t i = 0; i < kLanes; ++i)
        refreshLane(i);
}

std::size_t ChartScene::columnsOf(const PlotView& view) const
{
    return static_cast<std::size_t>(std::ceil(view.plotRect().width() * std::max(sharpness, view.devicePixelRatioF())));
}

void ChartScene::refreshRooms()
{
    if (following)
        std::tie(fromS, toS) = wholeRange();
    const QFontMetrics metrics(type::sized(m_chart.font(), type::kSmall));
    const int line = metrics.height();
    const int left
        = std::max(metrics.horizontalAdvance(QStringLiteral("1,000")), metrics.horizontalAdvance(QStringLiteral("GiB")))
        + 14;
    const QFontMetrics bold(type::sized(m_chart.font(), type::kSmall, true));
    const int right
        = bold.horizontalAdvance(compact ? QStringLiteral("Cache 0.842") : QStringLiteral("Page cache 0.842")) + 10;
    const int top = line + line / 2 + 4;
    plot->setRoom({left, top, right, line + 8});
    for (std::size_t i = 0; i < kLanes; ++i) {
        const bool last = isLastLane(i);
        lanes[i]->setFixedHeight(3 * line + 8 + (last ? line + 8 : 4));
        lanes[i]->setRoom({left, line / 2 + 4, right, last ? line + 8 : 5});
        lanes[i]->setVisible(laneShown(i));
    }
    const int room = std::max(1, plot->width() - left - right);
    m_times = timeTicks(fromS, toS, std::max(2, room / (6 * line)));
}

void ChartScene::refreshPlot()
{
    const Theme& theme = m_theme.theme();
    const double floor = logScale ? std::min(kLogFloorBytes, highestBytes() / 100) : 0;
    const double wanted = topBytes(floor);
    const int most
        = std::max(2, static_cast<int>(plot->plotRect().height()) / (2 * QFontMetrics(m_chart.font()).height()));
    m_unit = sizeUnitFor(wanted);
    m_sizes = sizeTicks(wanted, most);
    m_top = logScale ? wanted : std::ceil(wanted / m_sizes.step - 1e-9) * m_sizes.step;
    m_sizes = logScale ? logSizeTicks(floor, m_top) : sizeTicks(m_top, most);
    plot->setRange(fromS, toS, m_top, floor);
    std::vector<PlotView::Area> areas;
    std::vector<PlotView::Line> lines;
    if (shape == MemoryChart::Shape::Stacked) {
        const Track* below = nullptr;
        for (const CurveBands::Band& band : bands.bands()) {
            if (band.peak <= 0)
                continue;
            areas.push_back({&band.edge, below, filled(theme.color(band.role))});
            // The edge of a band thinner than two lines would only hide the one below it.
            if (band.peak / m_top * plot->plotRect().height() > 2 * kEdge || !below)
                lines.push_back({&band.edge, QPen(theme.color(band.role), kEdge)});
            below = &band.edge;
        }
    } else if (!bands.isEmpty()) {
        areas.push_back({&bands.total(), nullptr, filled(theme.color(Role::Resident))});
        lines.push_back({&bands.total(), QPen(theme.color(Role::Resident), kEdge)});
    }
    if (!bands.gpu().empty())
        lines.push_back({&bands.gpu(), QPen(theme.color(Role::Gpu), kEdge, Qt::DashLine)});
    plot->setShapes(areas, lines, columnsOf(*plot));
    plot->viewport()->update();
}

bool ChartScene::laneShown(std::size_t index) const
{
    return lanesVisible && !compact && bands.lanes()[index].peak > 0;
}

bool ChartScene::isLastLane(std::size_t index) const
{
    for (std::size_t i = index + 1; i < kLanes; ++i)
        if (laneShown(i))
            return false;
    return true;
}

void ChartScene::refreshLane(std::size_t index)
{
    if (!laneShown(index))
        return;
    const CurveBands::Lane& lane = bands.lanes()[index];
    const QColor color = m_theme.color(lane.role);
    // A trickle is no mountain.
    m_laneScale[index] = laneScale(lane.peak, lane.unit);
    lanes[index]->setRange(fromS, toS, m_laneScale[index].top);
    lanes[index]->setShapes(
        {{&lane.points, nullptr, filled(color)}}, {{&lane.points, QPen(color, kEdge)}}, columnsOf(*lanes[index]));
    lanes[index]->viewport()->update();
}

ChartPaint ChartScene::paintOn(QPainter& painter, const PlotView& view) const
{
    return {painter, view, m_theme.theme(), m_chart.font(), compact};
}

void ChartScene::paintBehind(QPainter& painter) const
{
    ChartPaint paint = paintOn(painter, *plot);
    paint.phaseBands(document.phases);
    paint.grid(m_sizes);
}

void ChartScene::paintFront(QPainter& painter) const
{
    ChartPaint paint = paintOn(painter, *plot);
    paint.sizeAxis(m_sizes, logScale);
    paint.timeAxis(m_times);
    if (bands.isEmpty()) {
        paint.emptyWords(emptyWords);
        return;
    }
    paint.phaseWords(document.phases);
    if (document.forecast)
        paint.forecast(*document.forecast, cacheBytes());
    const std::vector<ChartLimit> limits = drawnLimits();
    paint.limits(limits, m_top, m_unit);
    if (document.forecast)
        paint.arrows(*document.forecast, bands.times().back(), cacheBytes());
    paint.marks(document.marks);
    if (selection)
        paint.selection(selection->first, selection->second, selectionWords());
    const std::size_t at = bands.lastUpTo(document.end.atS);
    ChartEnd end = document.end;
    if (end.mark == ChartEnd::Mark::Running)
        end.atS = bands.times().back();
    const std::size_t sample = end.mark == ChartEnd::Mark::Running ? bands.times().size() - 1 : at;
    const auto highest = [this](double from, double to) {
        return bands.highestBetween(from, to, shape == MemoryChart::Shape::Stacked);
    };
    paint.end(end, heightAt(sample), figures::size(static_cast<std::uint64_t>(heightAt(sample))), highest, limits);
    paint.labels(edgeLabels());
    if (cursor)
        paintHover(paint);
}

void ChartScene::paintHover(ChartPaint& paint) const
{
    const std::size_t sample = bands.nearest(*cursor);
    const double at = bands.times()[sample];
    paint.cursorLine(at);
    if (compact)
        return;
    const Theme& theme = m_theme.theme();
    QVector<ChartPaint::BoxRow> rows;
    for (std::size_t i = bands.bands().size(); i-- > 0;)
        if (bands.bands()[i].peak > 0)
            rows.append(
                {theme.color(bands.bands()[i].role), bands.bands()[i].name, inUnit(bands.valueOf(i, sample), m_unit)});
    if (shape == MemoryChart::Shape::Stacked)
        rows.append({Qt::transparent, QStringLiteral("Tree, without cache"), inUnit(bands.total()[sample].y, m_unit)});
    if (!bands.gpu().empty())
        if (const auto point = std::upper_bound(
                bands.gpu().begin(), bands.gpu().end(), at, [](double x, const Point& p) { return x < p.x; });
            point != bands.gpu().begin())
            rows.append(
                {theme.color(Role::Gpu), QStringLiteral("GPU, its own memory"), inUnit(std::prev(point)->y, m_unit)});
    for (std::size_t i = 0; i < kLanes; ++i)
        if (laneShown(i)) {
            const CurveBands::Lane& lane = bands.lanes()[i];
            const std::optional<double> rate = lane.rateAt(at);
            rows.append({theme.color(lane.role), lane.name, rate ? m_laneScale[i].words(*rate) : figures::kNone});
        }
    QString phaseName;
    for (const Phase& phase : document.phases)
        if (at >= phase.fromS && at <= phase.toS)
            phaseName = QString::fromStdString(phase.name) + QStringLiteral(", ") + rateWords(phase.rateBytesPerS);
    paint.hoverBox(at, figures::seconds(at), inUnit(heightAt(sample), m_unit) + u' ' + m_unit.name, phaseName, rows);
}

std::vector<EdgeLabel> ChartScene::edgeLabels() const
{
    const Theme& theme = m_theme.theme();
    const std::size_t sample = spokenSample();
    std::vector<EdgeLabel> labels;
    const auto words = [&](const QString& name, double bytes) {
        return bytes > 0 ? name + u' ' + inUnit(bytes, m_unit) : name + QStringLiteral(" 0");
    };
    if (shape == MemoryChart::Shape::Total) {
        const double bytes = bands.total()[sample].y;
        labels.push_back({words(QStringLiteral("Tree"), bytes), QStringLiteral("without cache"),
            theme.color(Role::Resident), plot->Y(bytes)});
    }
    double below = 0;
    for (std::size_t i = 0; shape == MemoryChart::Shape::Stacked && i < bands.bands().size(); ++i) {
        const CurveBands::Band& band = bands.bands()[i];
        const double bytes = bands.valueOf(i, sample);
        const bool zeroSwap = band.column == Column::SwapBytes && band.seen;
        if (band.peak > 0 || (zeroSwap && !compact))
            labels.push_back({words(compact ? band.shortName : band.name, bytes),
                band.peak > 0 ? band.remark : QStringLiteral("none used"), theme.color(band.role),
                plot->Y(below + bytes / 2)});
        below += bytes;
    }
    if (document.forecast && document.forecast->need && !compact) {
        const ProjectedNeed& need = *document.forecast->need;
        labels.push_back({words(QStringLiteral("Projected"), need.bytes),
            inUnit(need.lowBytes, m_unit) + u'–' + inUnit(need.highBytes, m_unit) + u' ' + m_unit.name,
            theme.color(Role::Resident), plot->Y(std::min(m_top, foreseenBytes()))});
    }
    if (!bands.gpu().empty())
        labels.push_back({words(QStringLiteral("GPU"), bands.gpu().back().y), QStringLiteral("its own memory"),
            theme.color(Role::Gpu), plot->Y(bands.gpu().back().y)});
    return labels;
}

QString ChartScene::selectionWords() const
{
    const auto [from, to] = *selection;
    const std::size_t first = bands.nearest(from);
    const std::size_t last = bands.nearest(to);
    const double seconds = bands.times()[last] - bands.times()[first];
    if (seconds <= 0)
        return {};
    const double grown = heightAt(last) - heightAt(first);
    const QString sign = grown < 0 ? QStringLiteral("−") : QStringLiteral("+");
    return QStringLiteral("%1: %2%3, %4")
        .arg(figures::seconds(seconds), sign, figures::size(static_cast<std::uint64_t>(std::fabs(grown))),
            figures::rate(grown / seconds));
}

void ChartScene::paintLaneBehind(QPainter& painter, std::size_t index) const
{
    ChartPaint paint = paintOn(painter, *lanes[index]);
    Ticks top;
    top.ticks = {{m_laneScale[index].top, m_laneScale[index].topFigure()}};
    paint.grid(top);
    paint.sizeAxis(top, false);
    painter.setPen(QPen(m_theme.color(Role::Hair), 1));
    painter.drawLine(QPointF(8, 0.5), QPointF(lanes[index]->width() - 8, 0.5));
}

void ChartScene::paintLaneFront(QPainter& painter, std::size_t index) const
{
    ChartPaint paint = paintOn(painter, *lanes[index]);
    paint.timeAxis(m_times, isLastLane(index));
    const CurveBands::Lane& lane = bands.lanes()[index];
    if (lane.points.empty())
        return;
    const bool running = document.end.mark == ChartEnd::Mark::Running;
    const double value = running ? lane.points.back().y : lane.peak;
    const QString prefix = (lane.column == Column::SystemPsiSomeUs ? QStringLiteral("some ") : QString())
        + (running ? QString() : QStringLiteral("max "));
    EdgeLabel label{lane.name, prefix + m_laneScale[index].words(value), m_theme.color(lane.role),
        lanes[index]->plotRect().center().y()};
    paint.labels({label});
    if (selection)
        paint.selection(selection->first, selection->second, {});
    if (cursor && !bands.isEmpty())
        paint.cursorLine(bands.times()[bands.nearest(*cursor)]);
}

QString ChartScene::accessibleName() const
{
    if (bands.isEmpty())
        return QStringLiteral("Memory over time: %1").arg(emptyWords);
    const std::size_t highest = bands.highestTotal();
    QString words = QStringLiteral("Memory over time: the tree rises to %1 in %2")
                        .arg(figures::size(static_cast<std::uint64_t>(bands.total()[highest].y)),
                            figures::seconds(bands.times()[highest]));
    if (!document.end.words.isEmpty())
        words += QStringLiteral("; ") + document.end.words;
    for (const ChartLimit& limit : document.limits)
        words += QStringLiteral("; ") + limit.words;
    if (document.forecast && !document.forecast->words.isEmpty())
        words += QStringLiteral("; forecast: ") + document.forecast->words;
    return words;
}

QString ChartScene::accessibleDescription() const
{
    QStringList words;
    for (const Phase& phase : document.phases)
        words << QStringLiteral("%1 from %2 to %3, %4")
                     .arg(QString::fromStdString(phase.name), figures::seconds(phase.fromS),
                         figures::seconds(phase.toS), figures::rate(phase.rateBytesPerS));
    return words.join(QStringLiteral("; "));
}

} // namespace loadlab
