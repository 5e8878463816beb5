#include "gui/charts/MemoryChart.h"

#include "gui/charts/ChartScene.h"
#include "gui/widgets/StateLook.h"

#include <QKeyEvent>
#include <QPainter>
#include <QResizeEvent>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

constexpr int kRepaintMs = 100; ///< A live chart is rebuilt ten times a second at most.
constexpr double kDescribeS = 5;
constexpr double kClosestS = 0.01; ///< Zoom ends where samples are a few pixels apart even at 1000 Hz.

} // namespace

struct MemoryChart::State {
    State(const ThemeHolder& theme, MemoryChart& chart)
        : scene(theme, chart)
    {
    }
    ChartScene scene;
    std::shared_ptr<Curve> live; ///< Grows; document.curve points to it.
    QTimer timer;
    bool dirty = true;
    double describedAtS = 0;
};

MemoryChart::MemoryChart(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_state(std::make_unique<State>(theme, *this))
{
    setFocusPolicy(Qt::StrongFocus);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_state->scene.plot, 1);
    watch(*m_state->scene.plot);
    for (PlotView* lane : m_state->scene.lanes) {
        layout->addWidget(lane);
        watch(*lane);
    }
    m_state->timer.setSingleShot(true);
    m_state->timer.setTimerType(Qt::CoarseTimer);
    connect(&m_state->timer, &QTimer::timeout, this, &MemoryChart::flush);
    connect(&theme, &ThemeHolder::themeChanged, this, [this] { touch(0); });
    flush();
}

MemoryChart::~MemoryChart() = default;

void MemoryChart::watch(PlotView& view)
{
    connect(&view, &PlotView::hovered, this, [this](std::optional<double> at) { setCursor(at); });
    connect(&view, &PlotView::zoomRequested, this, &MemoryChart::zoom);
    connect(&view, &PlotView::panRequested, this, [this](double delta) { setRange(fromS() + delta, toS() + delta); });
    connect(&view, &PlotView::fitRequested, this, &MemoryChart::fit);
    connect(&view, &PlotView::selectionDragged, this,
        [this](double a, double b) { select(std::pair(std::min(a, b), std::max(a, b))); });
    connect(&view, &PlotView::clicked, this, [this] { select(std::nullopt); });
}

void MemoryChart::touch(int delayMs)
{
    m_state->dirty = true;
    // A running timer fires soon enough; a hidden chart is rebuilt when it is shown.
    if (isVisible() && (!m_state->timer.isActive() || delayMs == 0))
        m_state->timer.start(delayMs);
}

void MemoryChart::flush()
{
    m_state->timer.stop();
    m_state->dirty = false;
    m_state->scene.refreshRooms();
    layout()->activate();
    // The ticks of time depend on the width that is known only now.
    m_state->scene.refreshRooms();
    m_state->scene.refresh();
    describe();
}

void MemoryChart::describe()
{
    const ChartScene& scene = m_state->scene;
    const double now = scene.bands.isEmpty() ? 0 : scene.bands.times().back();
    const bool running = scene.document.end.mark == ChartEnd::Mark::Running;
    // Every change is read aloud: a growing curve is told about every few seconds, not ten times a second.
    if (running && now > m_state->describedAtS && now < m_state->describedAtS + kDescribeS)
        return;
    m_state->describedAtS = now;
    if (const QString name = scene.accessibleName(); name != accessibleName())
        setAccessibleName(name);
    if (const QString phases = scene.accessibleDescription(); phases != accessibleDescription())
        setAccessibleDescription(phases);
}

void MemoryChart::setDocument(const ChartDocument& document)
{
    m_state->scene.document = document;
    m_state->scene.selection.reset();
    m_state->scene.cursor.reset();
    m_state->scene.following = true;
    setCurve(document.curve);
}

ChartDocument MemoryChart::document() const
{
    ChartDocument document = m_state->scene.document;
    if (m_state->live)
        document.curve = std::make_shared<const Curve>(*m_state->live);
    return document;
}

void MemoryChart::setCurve(std::shared_ptr<const Curve> curve)
{
    ChartScene& scene = m_state->scene;
    m_state->live.reset();
    scene.document.curve = std::move(curve);
    scene.bands = CurveBands(scene.document.gpuInPool);
    if (scene.document.curve)
        scene.bands.append(scene.document.curve->samples, scene.document.curve->originNs);
    touch(0);
}

void MemoryChart::appendSamples(std::span<const Sample> samples, std::int64_t originNs)
{
    ChartScene& scene = m_state->scene;
    if (!m_state->live) {
        m_state->live = std::make_shared<Curve>(scene.document.curve ? *scene.document.curve : Curve{originNs, {}});
        scene.document.curve = m_state->live;
    }
    Curve& curve = *m_state->live;
    if (curve.samples.empty())
        curve.originNs = originNs;
    curve.samples.insert(curve.samples.end(), samples.begin(), samples.end());
    scene.bands.append(samples, curve.originNs);
    touch(kRepaintMs);
}

void MemoryChart::clear()
{
    setDocument({});
}

void MemoryChart::setLimit(double bytes, const QString& words)
{
    setLimits(bytes > 0 ? std::vector<ChartLimit>{{bytes, words, ChartLimit::Kind::Limit}} : std::vector<ChartLimit>{});
}

void MemoryChart::setLimits(std::vector<ChartLimit> limits)
{
    m_state->scene.document.limits = std::move(limits);
    touch(m_state->scene.document.end.mark == ChartEnd::Mark::Running ? kRepaintMs : 0);
}

void MemoryChart::setPhases(std::vector<Phase> phases)
{
    for (Phase& phase : phases)
        phase.name = phaseWords(phase.name).toStdString();
    m_state->scene.document.phases = std::move(phases);
    touch(kRepaintMs);
}

void MemoryChart::setEnd(ChartEnd::Mark mark, double atS, const QString& words)
{
    m_state->scene.document.end = {mark, atS, words};
    touch(0);
}

void MemoryChart::setMarks(std::vector<ChartMark> marks)
{
    m_state->scene.document.marks = std::move(marks);
    touch(kRepaintMs);
}

void MemoryChart::setForecast(std::optional<ChartForecast> forecast)
{
    m_state->scene.document.forecast = std::move(forecast);
    touch(kRepaintMs);
}

void MemoryChart::setGpuInPool(bool inPool)
{
    m_state->scene.document.gpuInPool = inPool;
    setCurve(m_state->scene.document.curve);
}

void MemoryChart::setEmptyWords(const QString& words)
{
    m_state->scene.emptyWords = words;
    touch(0);
}

void MemoryChart::setCompact(bool compact)
{
    m_state->scene.compact = compact;
    updateGeometry();
    touch(0);
}

void MemoryChart::setLanesVisible(bool visible)
{
    m_state->scene.lanesVisible = visible;
    touch(0);
}

void MemoryChart::setShape(Shape shape)
{
    if (shape == m_state->scene.shape)
        return;
    m_state->scene.shape = shape;
    touch(0);
    Q_EMIT shapeChanged(shape);
}

MemoryChart::Shape MemoryChart::shape() const
{
    return m_state->scene.shape;
}

void MemoryChart::setLogScale(bool on)
{
    if (on == m_state->scene.logScale)
        return;
    m_state->scene.logScale = on;
    touch(0);
    Q_EMIT logScaleChanged(on);
}

bool MemoryChart::logScale() const
{
    return m_state->scene.logScale;
}

double MemoryChart::fromS() const
{
    return m_state->scene.fromS;
}

double MemoryChart::toS() const
{
    return m_state->scene.toS;
}

void MemoryChart::setRange(double fromS, double toS)
{
    ChartScene& scene = m_state->scene;
    const auto [first, last] = scene.wholeRange();
    const double span = std::clamp(toS - fromS, kClosestS, last - first);
    const double from = std::clamp(fromS, first, last - span);
    scene.following = span >= last - first;
    scene.fromS = from;
    scene.toS = from + span;
    touch(0);
    Q_EMIT rangeChanged(scene.fromS, scene.toS);
}

void MemoryChart::fit()
{
    const auto [first, last] = m_state->scene.wholeRange();
    setRange(first, last);
}

void MemoryChart::zoom(double factor, double aboutS)
{
    if (!(factor > 0))
        return;
    const double span = std::max(kClosestS, (toS() - fromS()) / factor);
    const double share = (aboutS - fromS()) / (toS() - fromS());
    setRange(aboutS - share * span, aboutS + (1 - share) * span);
}

std::optional<std::pair<double, double>> MemoryChart::selection() const
{
    return m_state->scene.selection;
}

void MemoryChart::select(std::optional<std::pair<double, double>> selection)
{
    if (m_state->scene.selection == selection)
        return;
    m_state->scene.selection = selection;
    repaintFront();
    Q_EMIT selectionChanged();
}

void MemoryChart::setCursor(std::optional<double> atS)
{
    ChartScene& scene = m_state->scene;
    if (scene.bands.isEmpty())
        atS.reset();
    if (scene.cursor == atS)
        return;
    scene.cursor = atS;
    repaintFront();
    if (atS)
        Q_EMIT cursorMoved(scene.bands.times()[scene.bands.nearest(*atS)]);
}

std::optional<double> MemoryChart::cursor() const
{
    return m_state->scene.cursor;
}

void MemoryChart::repaintFront()
{
    m_state->scene.plot->viewport()->update();
    for (PlotView* lane : m_state->scene.lanes)
        lane->viewport()->update();
}

double MemoryChart::X(double seconds) const
{
    return m_state->scene.plot->X(seconds) + m_state->scene.plot->x();
}

double MemoryChart::Y(double bytes) const
{
    return m_state->scene.plot->Y(bytes) + m_state->scene.plot->y();
}

QRectF MemoryChart::plotRect() const
{
    return m_state->scene.plot->plotRect().translated(m_state->scene.plot->pos());
}

int MemoryChart::pointCount() const
{
    int count = m_state->scene.plot->pointCount();
    for (const PlotView* lane : m_state->scene.lanes)
        if (lane->isVisibleTo(this))
            count += lane->pointCount();
    return count;
}

void MemoryChart::setSharpness(double pointsPerPixel)
{
    m_state->scene.sharpness = pointsPerPixel;
    touch(0);
}

void MemoryChart::render(QPainter& painter, const QRectF& target)
{
    flush();
    const double scaleX = target.width() / width();
    const double scaleY = target.height() / height();
    const auto draw = [&](PlotView& view) {
        const QRectF place(target.left() + view.x() * scaleX, target.top() + view.y() * scaleY, view.width() * scaleX,
            view.height() * scaleY);
        view.QGraphicsView::render(&painter, place, view.rect());
    };
    draw(*m_state->scene.plot);
    for (PlotView* lane : m_state->scene.lanes)
        if (lane->isVisibleTo(this))
            draw(*lane);
}

QSize MemoryChart::sizeHint() const
{
    return m_state->scene.compact ? QSize(360, 210) : QSize(860, 520);
}

QSize MemoryChart::minimumSizeHint() const
{
    return m_state->scene.compact ? QSize(220, 130) : QSize(360, 220);
}

void MemoryChart::moveCursor(int direction, bool byPhase)
{
    const ChartScene& scene = m_state->scene;
    if (scene.bands.isEmpty())
        return;
    const std::vector<double>& times = scene.bands.times();
    const double at = scene.cursor.value_or(direction > 0 ? times.front() : times.back());
    if (!byPhase) {
        const auto next = static_cast<std::ptrdiff_t>(scene.bands.nearest(at)) + (scene.cursor ? direction : 0);
        setCursor(times[static_cast<std::size_t>(
            std::clamp<std::ptrdiff_t>(next, 0, static_cast<std::ptrdiff_t>(times.size()) - 1))]);
    } else {
        double target = direction > 0 ? times.back() : times.front();
        for (const Phase& phase : scene.document.phases)
            if (direction > 0 ? phase.fromS > at + 1e-6 && phase.fromS < target
                              : phase.fromS < at - 1e-6 && phase.fromS > target)
                target = phase.fromS;
        setCursor(target);
    }
    // A cursor that left the view takes it along.
    const double span = toS() - fromS();
    if (const double now = *scene.cursor; now < fromS() || now > toS())
        setRange(now - span / 2, now + span / 2);
}

void MemoryChart::keyPressEvent(QKeyEvent* event)
{
    const double middle = cursor().value_or((fromS() + toS()) / 2);
    const bool shift = event->modifiers().testFlag(Qt::ShiftModifier);
    switch (event->key()) {
    case Qt::Key_Left:
        return moveCursor(-1, shift);
    case Qt::Key_Right:
        return moveCursor(+1, shift);
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoom(1.5, middle);
    case Qt::Key_Minus:
        return zoom(1 / 1.5, middle);
    case Qt::Key_0:
        return fit();
    case Qt::Key_S:
        return setShape(shape() == Shape::Stacked ? Shape::Total : Shape::Stacked);
    case Qt::Key_L:
        return setLogScale(!logScale());
    case Qt::Key_Escape:
        if (!cursor() && !selection())
            break; // Somebody else's.
        setCursor(std::nullopt);
        return select(std::nullopt);
    default:
        break;
    }
    QWidget::keyPressEvent(event);
}

void MemoryChart::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.fillRect(rect(), m_theme.color(Role::Base));
    if (!hasFocus())
        return;
    painter.setPen(m_theme.color(Role::Accent));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void MemoryChart::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange)
        touch(0);
}

void MemoryChart::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    touch(0);
}

void MemoryChart::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_state->dirty)
        flush();
}

} // namespace loadlab
