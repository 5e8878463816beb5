#pragma once

#include "gui/charts/ChartDocument.h"
#include "gui/widgets/ThemeHolder.h"

#include <QTimer>
#include <QWidget>

#include <memory>
#include <span>

namespace loadlab {

class PlotView;

/// Memory over time of one run with lanes below it. All setters are cheap; the scene is rebuilt at most 10 times a
/// second (at once when the chart is not live). GUI thread.
///
/// Keys: ← → cursor by sample (Shift: by phase), + − zoom, 0 fit, S stacked/total, L log scale, Esc clears cursor and
/// selection. Mouse: wheel zooms about the pointer, drag pans, Shift+drag selects, double click fits.
class MemoryChart : public QWidget {
    Q_OBJECT

public:
    enum class Shape { Stacked, Total };
    Q_ENUM(Shape)

    explicit MemoryChart(const ThemeHolder& theme, QWidget* parent = nullptr);
    ~MemoryChart() override;

    /// Everything at once; what the setters below set is replaced.
    void setDocument(const ChartDocument& document);
    [[nodiscard]] ChartDocument document() const;

    void setCurve(std::shared_ptr<const Curve> curve);
    /// Live: further samples in time order. The first call after setCurve() copies; originNs counts when there is none
    /// yet.
    void appendSamples(std::span<const Sample> samples, std::int64_t originNs);
    void clear();
    /// One limit, drawn as a solid line with words; 0 takes it away. Other kinds: setLimits().
    void setLimit(double bytes, const QString& words);
    void setLimits(std::vector<ChartLimit> limits);
    void setPhases(std::vector<Phase> phases);
    void setEnd(ChartEnd::Mark mark, double atS, const QString& words);
    void setMarks(std::vector<ChartMark> marks);
    /// Of a run in progress; nothing takes it away. The whole range then reaches to where limits are met, as long as
    /// the past keeps two fifths of it.
    void setForecast(std::optional<ChartForecast> forecast);
    /// Before the first sample: whether GPU memory is part of the machine's.
    void setGpuInPool(bool inPool);
    /// Words instead of a chart while there are no samples.
    void setEmptyWords(const QString& words);

    /// Small form for cards: short labels, no lanes, no hover box.
    void setCompact(bool compact);
    void setLanesVisible(bool visible);
    void setShape(Shape shape);
    [[nodiscard]] Shape shape() const;
    void setLogScale(bool on);
    [[nodiscard]] bool logScale() const;

    /// The seconds shown.
    [[nodiscard]] double fromS() const;
    [[nodiscard]] double toS() const;
    void setRange(double fromS, double toS);
    void fit();
    void zoom(double factor, double aboutS); ///< factor > 1: closer.
    [[nodiscard]] std::optional<std::pair<double, double>> selection() const;
    /// The cursor: shows the box with all series at the nearest sample; nothing hides it.
    void setCursor(std::optional<double> atS);
    [[nodiscard]] std::optional<double> cursor() const;

    /// The mapping of the memory plot, in this widget's coordinates.
    [[nodiscard]] double X(double seconds) const;
    [[nodiscard]] double Y(double bytes) const;
    [[nodiscard]] QRectF plotRect() const;
    /// Points handed to Qt Charts in all series together.
    [[nodiscard]] int pointCount() const;
    /// Brings the scene up to date now (it otherwise follows within 100 ms).
    void flush();

    /// Points per pixel of width that a later render() needs, at least the screen's own ratio (2 for a 2× export).
    void setSharpness(double pointsPerPixel);
    /// Draws the chart as it stands into `target` of any paint device (exports).
    void render(QPainter& painter, const QRectF& target);
    using QWidget::render;

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

Q_SIGNALS:
    void shapeChanged(MemoryChart::Shape shape);
    void logScaleChanged(bool on);
    void rangeChanged(double fromS, double toS);
    void selectionChanged();
    void cursorMoved(double atS);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    struct State;

    void watch(PlotView& view);
    void touch(int delayMs);
    void repaintFront();
    void describe();
    void select(std::optional<std::pair<double, double>> selection);
    void moveCursor(int direction, bool byPhase);

    const ThemeHolder& m_theme;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
