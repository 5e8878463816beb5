#pragma once

#include "core/Result.h"
#include "gui/charts/ChartDocument.h"

#include <QByteArray>
#include <QImage>
#include <QSize>

class QMimeData;

namespace loadlab {

enum class ExportFormat { Png, Svg, Csv, Json };
/// By the file name's ending; nothing for another one.
std::optional<ExportFormat> exportFormatOf(const QString& fileName);

struct ExportOptions {
    ExportFormat format = ExportFormat::Png;
    double scale = 1.0; ///< PNG: 1 or 2 (0.5 … 8).
    QSize size{960, 620}; ///< Of the whole picture in device-independent pixels, texts included.
    bool stacked = true;
    bool logScale = false;
    bool lanes = true;
};

/// Whole pictures, always in the light theme, with title, run, machine, sampling rate and source of the counters.
/// GUI thread (they paint with widgets); work offscreen.
QImage renderImage(const ChartDocument& document, const ExportOptions& options = {});
QByteArray renderSvg(const ChartDocument& document, const ExportOptions& options = {});
/// Byte for byte what `loadlab export` writes (docs/CLI.md, "export"): the samples; the run with its samples as
/// "curve". A run in progress is told by its curve alone.
QByteArray renderCsv(const ChartDocument& document);
QByteArray renderJson(const ChartDocument& document);

/// Writes one file, whole or not at all (temporary file, then rename). Io names the file and why.
Result<void> exportDocument(const ChartDocument& document, const QString& fileName, const ExportOptions& options);
/// For the clipboard: picture (2×), SVG and CSV together.
std::unique_ptr<QMimeData> makeMimeData(const ChartDocument& document, const ExportOptions& options = {});

} // namespace loadlab
