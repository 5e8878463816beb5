#include "gui/charts/ChartExport.h"

#include "core/curve/CurveText.h"
#include "gui/charts/MemoryChart.h"
#include "gui/widgets/Type.h"

#include <QBuffer>
#include <QFileInfo>
#include <QMimeData>
#include <QPainter>
#include <QSaveFile>
#include <QSvgGenerator>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace loadlab {
namespace {

constexpr int kMargin = 20;
constexpr int kFontPixels = 13;
constexpr double kDotsPerMeter = 96 / 0.0254;

/// Title and subtitle above, machine and source below, the chart between: one layout for pixels and for SVG.
class Sheet {
public:
    Sheet(const ChartDocument& document, const ExportOptions& options)
        : m_document(document)
        , m_options(options)
        , m_holder(Theme::light())
        , m_chart(m_holder)
    {
        m_font = m_chart.font();
        m_font.setPixelSize(kFontPixels);
        m_line = QFontMetrics(m_font).height() + 2;
        m_chart.setFont(m_font);
        m_chart.setAttribute(Qt::WA_DontShowOnScreen);
        m_chart.setFocusPolicy(Qt::NoFocus);
        m_chart.setSharpness(options.scale);
        m_chart.setLanesVisible(options.lanes);
        m_chart.setShape(options.stacked ? MemoryChart::Shape::Stacked : MemoryChart::Shape::Total);
        m_chart.setLogScale(options.logScale);
        m_chart.setDocument(document);
        m_chart.resize(chartRect().size().toSize());
        m_chart.show(); // Off screen: only a shown widget is laid out.
        m_chart.flush();
    }

    void paint(QPainter& painter)
    {
        const Theme& theme = m_holder.theme();
        const QRectF page(QPointF(), QSizeF(m_options.size));
        painter.fillRect(page, theme.color(Role::Base));
        const double width = page.width() - 2 * kMargin;
        write(painter, kMargin - 4, type::sized(m_font, 1.3, true), theme.color(Role::Text), m_document.title, width);
        write(painter, kMargin + 1.3 * m_line, m_font, theme.color(Role::Muted), m_document.subtitle, width);
        m_chart.render(painter, chartRect());
        const QFont small = type::sized(m_font, type::kSmall);
        const double foot = page.height() - kMargin - 2 * m_line + 6;
        write(painter, foot, small, theme.color(Role::Muted), m_document.machine, width);
        write(painter, foot + m_line, small, theme.color(Role::Muted), m_document.source, width);
    }

private:
    [[nodiscard]] QRectF chartRect() const
    {
        const double top = kMargin + 2.6 * m_line;
        const double bottom = m_options.size.height() - kMargin - 2.2 * m_line;
        return {
            kMargin / 2.0, top, static_cast<double>(m_options.size.width() - kMargin), std::max(120.0, bottom - top)};
    }

    void write(
        QPainter& painter, double top, const QFont& font, const QColor& color, const QString& words, double width) const
    {
        painter.setFont(font);
        painter.setPen(color);
        const QFontMetricsF metrics(font);
        painter.drawText(QRectF(kMargin, top, width, metrics.height() + 2),
            Qt::AlignLeft | Qt::AlignTop | Qt::TextSingleLine, metrics.elidedText(words, Qt::ElideRight, width));
    }

    const ChartDocument& m_document;
    const ExportOptions& m_options;
    ThemeHolder m_holder;
    MemoryChart m_chart;
    QFont m_font;
    double m_line = 0;
};

QByteArray renderPng(const ChartDocument& document, const ExportOptions& options)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    renderImage(document, options).save(&buffer, "PNG");
    return bytes;
}

const Curve& curveOf(const ChartDocument& document)
{
    static const Curve none;
    return document.curve ? *document.curve : none;
}

QByteArray rendered(const ChartDocument& document, const ExportOptions& options)
{
    switch (options.format) {
    case ExportFormat::Png:
        return renderPng(document, options);
    case ExportFormat::Svg:
        return renderSvg(document, options);
    case ExportFormat::Csv:
        return renderCsv(document);
    case ExportFormat::Json:
        break;
    }
    return renderJson(document);
}

} // namespace

std::optional<ExportFormat> exportFormatOf(const QString& fileName)
{
    const QString suffix = fileName.section(u'.', -1).toLower();
    if (suffix == QLatin1String("png"))
        return ExportFormat::Png;
    if (suffix == QLatin1String("svg"))
        return ExportFormat::Svg;
    if (suffix == QLatin1String("csv"))
        return ExportFormat::Csv;
    if (suffix == QLatin1String("json"))
        return ExportFormat::Json;
    return std::nullopt;
}

QImage renderImage(const ChartDocument& document, const ExportOptions& options)
{
    const double scale = std::clamp(options.scale, 0.5, 8.0);
    QImage image((QSizeF(options.size) * scale).toSize(), QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    image.setDotsPerMeterX(qRound(kDotsPerMeter * scale));
    image.setDotsPerMeterY(qRound(kDotsPerMeter * scale));
    image.setText(QStringLiteral("Title"), document.title);
    image.setText(
        QStringLiteral("Description"), document.subtitle + u'\n' + document.machine + u'\n' + document.source);
    image.setText(QStringLiteral("Software"), QStringLiteral("LoadLab"));
    QPainter painter(&image);
    painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    Sheet(document, options).paint(painter);
    painter.end();
    return image;
}

QByteArray renderSvg(const ChartDocument& document, const ExportOptions& options)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    QSvgGenerator svg;
    svg.setOutputDevice(&buffer);
    svg.setSize(options.size);
    svg.setViewBox(QRect(QPoint(), options.size));
    svg.setResolution(96);
    svg.setTitle(document.title);
    svg.setDescription(document.subtitle + u'\n' + document.machine + u'\n' + document.source);
    QPainter painter(&svg);
    Sheet(document, options).paint(painter);
    painter.end();
    return bytes;
}

QByteArray renderCsv(const ChartDocument& document)
{
    return QByteArray::fromStdString(toCsv(curveOf(document)));
}

QByteArray renderJson(const ChartDocument& document)
{
    std::ostringstream text;
    writeJsonWithCurve(text, document.runJson.empty() ? "{}" : document.runJson, curveOf(document));
    text << '\n';
    return QByteArray::fromStdString(std::move(text).str());
}

Result<void> exportDocument(const ChartDocument& document, const QString& fileName, const ExportOptions& options)
{
    const auto failed = [&fileName](const QString& why) {
        return Error{ErrorKind::Io, "cannot write " + fileName.toStdString() + ": " + why.toStdString()};
    };
    // The rename at the end would put a file in the place of a device or pipe.
    if (const QFileInfo there(fileName); there.exists() && !there.isFile())
        return failed(QStringLiteral("it is no regular file"));
    QSaveFile file(fileName);
    // Without rights in the folder a file that is there can still be written in place.
    file.setDirectWriteFallback(true);
    if (!file.open(QIODevice::WriteOnly))
        return failed(file.errorString());
    const QByteArray bytes = rendered(document, options);
    // flush() as well: written in place, commit() does not notice a full disk.
    if (bytes.isEmpty() || file.write(bytes) != bytes.size() || !file.flush() || !file.commit())
        return failed(file.errorString());
    return {};
}

std::unique_ptr<QMimeData> makeMimeData(const ChartDocument& document, const ExportOptions& options)
{
    ExportOptions sharp = options;
    sharp.scale = 2;
    auto data = std::make_unique<QMimeData>();
    data->setImageData(renderImage(document, sharp));
    data->setData(QStringLiteral("image/svg+xml"), renderSvg(document, options));
    data->setData(QStringLiteral("text/csv"), renderCsv(document));
    return data;
}

} // namespace loadlab
