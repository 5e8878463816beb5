#pragma once

#include "gui/charts/ChartExport.h"
#include "gui/charts/MemoryChart.h"
#include "gui/widgets/Panel.h"

#include <functional>

class QLabel;

namespace loadlab {

/// The chart in its panel: title, chips Stacked · Total · Log scale, sampling rate, and buttons for fit, copy and
/// export. Exports ask for a file name and write it; a failure is told by exportFailed().
class ChartPanel : public Panel {
    Q_OBJECT

public:
    explicit ChartPanel(const ThemeHolder& theme, QWidget* parent = nullptr);

    [[nodiscard]] MemoryChart& chart() const { return *m_chart; }
    /// Right of the chips: "20 Hz · 701 samples".
    void setRateWords(const QString& words);
    using Exporter = std::function<void(ExportFormat format, double scale)>;
    /// Takes the place of exportAs() behind the export button's menu.
    void setExporter(Exporter exporter);
    /// Picture, SVG and CSV to the clipboard.
    void copy();
    /// Asks where to and writes. `scale` counts for PNG.
    void exportAs(ExportFormat format, double scale = 1);

Q_SIGNALS:
    void exported(const QString& file);
    void exportFailed(const QString& why);

private:
    void buildChips();
    void buildButtons();
    [[nodiscard]] ExportOptions options(double scale) const;
    [[nodiscard]] QWidget* makeExportButton();

    const ThemeHolder& m_theme;
    MemoryChart* m_chart;
    QLabel* m_rate;
    Exporter m_exporter;
};

} // namespace loadlab
