#include "gui/charts/RenderJob.h"

#include "gui/charts/ChartExport.h"

#include <QFile>
#include <QFileInfo>

#include <cstdio>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using Json = nlohmann::json;

Error invalid(const std::string& why)
{
    return {ErrorKind::Invalid, why};
}

Result<Json> readJob(const QString& jobFile)
{
    // A FIFO or device would block for ever, or never end.
    const QFileInfo there(jobFile);
    if (!there.exists())
        return Error{ErrorKind::NotFound, "there is no such file"};
    if (!there.isFile())
        return invalid(there.isDir() ? "it is a folder, no file" : "it is no regular file");
    QFile file(jobFile);
    if (!file.open(QIODevice::ReadOnly))
        return Error{ErrorKind::Io, file.errorString().toStdString()};
    const QByteArray bytes = file.readAll();
    Json job = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
    if (job.is_discarded())
        return invalid("it is no JSON");
    if (!job.is_object())
        return invalid("it is no JSON object");
    return job;
}

Result<double> numberIn(const Json& job, const char* name, double fallback, double low, double high)
{
    if (!job.contains(name))
        return fallback;
    if (!job[name].is_number() || job[name].get<double>() < low || job[name].get<double>() > high)
        return invalid(
            "\"" + std::string(name) + "\" must be a number from " + Json(low).dump() + " to " + Json(high).dump());
    return job[name].get<double>();
}

Result<bool> flagIn(const Json& job, const char* name, bool fallback)
{
    if (!job.contains(name))
        return fallback;
    if (!job[name].is_boolean())
        return invalid("\"" + std::string(name) + "\" must be true or false");
    return job[name].get<bool>();
}

Result<ExportFormat> formatOf(const Json& job, const QString& out)
{
    const std::string wanted
        = job.contains("format") && job["format"].is_string() ? job["format"].get<std::string>() : std::string();
    const std::optional<ExportFormat> format
        = exportFormatOf(wanted.empty() ? out : QStringLiteral("x.") + QString::fromStdString(wanted));
    if (format != ExportFormat::Png && format != ExportFormat::Svg)
        return invalid("\"format\" must be \"png\" or \"svg\"");
    return *format;
}

Result<ExportOptions> optionsOf(const Json& job, const QString& out)
{
    ExportOptions options;
    const Result<ExportFormat> format = formatOf(job, out);
    const Result<double> scale = numberIn(job, "scale", 1, 0.5, 8);
    const Result<double> width = numberIn(job, "width", options.size.width(), 320, 8000);
    const Result<double> height = numberIn(job, "height", options.size.height(), 320, 8000);
    const Result<bool> stacked = flagIn(job, "stacked", true);
    const Result<bool> log = flagIn(job, "log", false);
    const Result<bool> lanes = flagIn(job, "lanes", true);
    if (!format)
        return format.error();
    for (const Result<double>* number : {&scale, &width, &height})
        if (!*number)
            return number->error();
    for (const Result<bool>* flag : {&stacked, &log, &lanes})
        if (!*flag)
            return flag->error();
    options.format = *format;
    options.scale = *scale;
    options.size = {static_cast<int>(*width), static_cast<int>(*height)};
    options.stacked = *stacked;
    options.logScale = *log;
    options.lanes = *lanes;
    return options;
}

Result<ChartDocument> documentOf(const Json& job)
{
    if (!job.contains("curve"))
        return invalid("\"curve\" is missing");
    const Json machine = job.value("machine", Json::object());
    if (!machine.is_object())
        return invalid("\"machine\" must be an object");
    const Result<double> memory = numberIn(machine, "memory_bytes", 0, 0, 4.6e18);
    if (!memory)
        return memory.error();
    const QString name = machine.contains("name") && machine["name"].is_string()
        ? QString::fromStdString(machine["name"].get<std::string>())
        : QString();
    return makeDocument(job.value("run", Json::object()), job["curve"], static_cast<std::uint64_t>(*memory), name);
}

Result<void> rendered(const QString& jobFile)
{
    const Result<Json> job = readJob(jobFile);
    if (!job)
        return job.error();
    if (!job->contains("out") || !(*job)["out"].is_string())
        return invalid("\"out\" is missing");
    const QString out = QString::fromStdString((*job)["out"].get<std::string>());
    const Result<ExportOptions> options = optionsOf(*job, out);
    if (!options)
        return options.error();
    const Result<ChartDocument> document = documentOf(*job);
    if (!document)
        return document.error();
    return exportDocument(*document, out, *options);
}

} // namespace

int renderJob(const QString& jobFile)
{
    const Result<void> result = rendered(jobFile);
    if (result)
        return 0;
    std::fprintf(stderr, "loadlab-gui: render job %s: %s\n", QFile::encodeName(jobFile).constData(),
        result.error().message.c_str());
    return result.error().kind == ErrorKind::Io ? 3 : 2;
}

} // namespace loadlab
