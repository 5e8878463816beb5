#pragma once

#include "gui/charts/MemoryChart.h"
#include "gui/widgets/Panel.h"

class QLabel;

namespace loadlab {

struct ExportOptions;

/// The chart in its panel: title, chips Stacked · Total · Log scale, sampling rate, and buttons for fit, copy and
/// export. Exports ask for a file name and write it; a failure is told by exportFailed().
class ChartPanel : public Panel {
    Q_OBJECT

public:
    explicit ChartPanel(const ThemeHolder& theme, QWidget* parent = nullptr);

    [[nodiscard]] MemoryChart& chart() const { return *m_chart; }
    /// Right of the chips: "20 Hz · 701 samples".
    void setRateWords(const QString& words);
    void copy();
    /// `suffix` png, svg, csv or json; asks where to. `scale` counts for PNG.
    void exportAs(const QString& suffix, double scale = 1);

Q_SIGNALS:
    void exported(const QString& file);
    void exportFailed(const QString& why);

private:
    void buildTitle();
    [[nodiscard]] ExportOptions options(double scale) const;
    [[nodiscard]] QWidget* makeExportButton();

    const ThemeHolder& m_theme;
    MemoryChart* m_chart;
    QLabel* m_rate;
};

} // namespace loadlab
