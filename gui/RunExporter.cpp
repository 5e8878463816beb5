#include "gui/RunExporter.h"

#include "gui/Words.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QMenu>
#include <QMimeData>

#include <array>

namespace loadlab {
namespace {

struct FormatWords {
    ExportFormat format;
    double scale;
    const char* action;
    const char* filter;
    const char* suffix;
};
constexpr std::array kFormats{
    FormatWords{ExportFormat::Png, 1, "PNG…", "PNG picture (*.png)", ".png"},
    FormatWords{ExportFormat::Png, 2, "PNG, twice the size…", "PNG picture (*.png)", ".png"},
    FormatWords{ExportFormat::Svg, 1, "SVG…", "SVG drawing (*.svg)", ".svg"},
    FormatWords{ExportFormat::Csv, 1, "CSV, samples…", "CSV table (*.csv)", ".csv"},
    FormatWords{ExportFormat::Json, 1, "JSON, run and samples…", "JSON (*.json)", ".json"},
};

const FormatWords& wordsOf(ExportFormat format)
{
    for (const FormatWords& words : kFormats)
        if (words.format == format)
            return words;
    return kFormats.front();
}

/// A file name without what file systems and shells dislike.
QString suggestedName(const ChartDocument& document, const FormatWords& words)
{
    QString name = document.title.toLower();
    for (QChar& letter : name)
        if (!letter.isLetterOrNumber() && letter != QLatin1Char('.') && letter != QLatin1Char('-'))
            letter = QLatin1Char(' ');
    name = name.simplified().replace(QLatin1Char(' '), QLatin1Char('-'));
    return (name.isEmpty() ? QStringLiteral("run") : name) + QString::fromUtf8(words.suffix);
}

} // namespace

RunExporter::RunExporter(const Dialogs& dialogs, QObject* parent)
    : QObject(parent)
    , m_dialogs(dialogs)
    , m_background(Background::AtEnd::Finish)
{
}

void RunExporter::ask(QWidget* parent, const ChartDocument& document, ExportFormat format, double scale)
{
    const FormatWords& words = wordsOf(format);
    const QString fileName = m_dialogs.chooseSaveFile(
        parent, QStringLiteral("Export"), suggestedName(document, words), QString::fromUtf8(words.filter));
    if (!fileName.isEmpty())
        write(document, fileName, format, scale);
}

void RunExporter::write(const ChartDocument& document, const QString& fileName, ExportFormat format, double scale)
{
    const std::optional<ExportFormat> named = exportFormatOf(fileName);
    ExportOptions options;
    options.format = named.value_or(format);
    options.scale = scale;
    const QString file = named ? fileName : fileName + QString::fromUtf8(wordsOf(format).suffix);
    if (options.format == ExportFormat::Png || options.format == ExportFormat::Svg) {
        tell(file, exportDocument(document, file, options));
        return;
    }
    m_background.ask(
        this, [document, file, options] { return exportDocument(document, file, options); },
        [this, file](Result<void> written) { tell(file, written); });
}

void RunExporter::tell(const QString& fileName, const Result<void>& written)
{
    if (written)
        Q_EMIT exported(fileName);
    else
        Q_EMIT failed(toSentence(written.error()));
}

void RunExporter::copy(const ChartDocument& document)
{
    QGuiApplication::clipboard()->setMimeData(makeMimeData(document).release());
}

void fillExportMenu(
    QMenu& menu, const std::function<void(ExportFormat, double scale)>& chosen, const std::function<void()>& copied)
{
    for (const FormatWords& words : kFormats)
        menu.addAction(QString::fromUtf8(words.action), &menu, [chosen, &words] { chosen(words.format, words.scale); });
    menu.addSeparator();
    menu.addAction(QStringLiteral("Copy picture and table"), &menu, copied);
}

} // namespace loadlab
