#include "core/worker/Protocol.h"

#include "core/Text.h"
#include "core/worker/JsonFields.h"

#include <array>

namespace loadlab::protocol {
using nlohmann::json;
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Body>> kTypes{
    "hello", "phase", "progress", "loaded", "turn", "warning", "error", "bye"};

template <typename T> json textMap(const std::map<std::string, T>& map)
{
    json object = json::object();
    for (const auto& [key, value] : map) {
        if constexpr (std::is_same_v<T, std::string>)
            object[toUtf8(key)] = toUtf8(value);
        else
            object[toUtf8(key)] = value;
    }
    return object;
}

json textList(const std::vector<std::string>& list)
{
    json array = json::array();
    for (const std::string& text : list)
        array.push_back(toUtf8(text));
    return array;
}

json fieldsOf(const Hello& hello)
{
    return {{"protocol", hello.protocol}, {"backend", toUtf8(hello.backend)}, {"versions", textMap(hello.versions)},
        {"facts", textMap(hello.facts)}};
}

json fieldsOf(const PhaseEntered& phase)
{
    return {{"name", toUtf8(phase.name)}};
}

json fieldsOf(const Progress& progress)
{
    return {{"unit", toUtf8(progress.unit)}, {"done", progress.done}, {"total", progress.total},
        {"done_bytes", progress.doneBytes}, {"total_bytes", progress.totalBytes}, {"what", toUtf8(progress.what)}};
}

json fieldsOf(const Loaded& loaded)
{
    return {
        {"parameters", loaded.parameters},
        {"dtypes", textMap(loaded.dtypes)},
        {"devices", textMap(loaded.devices)},
        {"tensors", loaded.tensors},
        {"missing", textList(loaded.missing)},
        {"unexpected", textList(loaded.unexpected)},
        {"misshaped", textList(loaded.misshaped)},
        {"missing_count", loaded.missingCount},
        {"unexpected_count", loaded.unexpectedCount},
        {"misshaped_count", loaded.misshapedCount},
        {"family_known", loaded.familyKnown},
        {"non_finite_tensors", loaded.nonFiniteTensors},
        {"non_finite", textList(loaded.nonFinite)},
        {"sampled_values", loaded.sampledValues},
        {"facts", textMap(loaded.facts)},
    };
}

json fieldsOf(const Turn& turn)
{
    json fields = json::parse(toUtf8(turn.text), nullptr, false);
    return fields.is_object() ? fields : json{{"text", toUtf8(turn.text)}};
}

json fieldsOf(const Warning& warning)
{
    return {{"code", toUtf8(warning.code)}, {"message", toUtf8(warning.message)}};
}

json fieldsOf(const WorkerError& error)
{
    return {{"type", toUtf8(error.type)}, {"message", toUtf8(error.message)}, {"traceback", toUtf8(error.traceback)},
        {"file", toUtf8(error.file)}, {"remedy", toUtf8(error.remedy)}};
}

json fieldsOf(const Bye& bye)
{
    return {{"code", bye.code}};
}

Hello helloFrom(const JsonFields& fields)
{
    Hello hello;
    hello.protocol = fields.required<int>("protocol");
    if (hello.protocol != kVersion)
        throw FieldError("the worker speaks protocol " + std::to_string(hello.protocol) + ", this LoadLab speaks "
            + std::to_string(kVersion) + ": install the backend that belongs to it");
    hello.backend = fields.required<std::string>("backend");
    hello.versions = fields.value<std::map<std::string, std::string>>("versions");
    hello.facts = fields.value<std::map<std::string, std::string>>("facts");
    return hello;
}

Progress progressFrom(const JsonFields& fields)
{
    Progress progress;
    progress.unit = fields.required<std::string>("unit");
    progress.done = fields.required<std::uint64_t>("done");
    progress.total = fields.required<std::uint64_t>("total");
    progress.doneBytes = fields.value<std::uint64_t>("done_bytes");
    progress.totalBytes = fields.value<std::uint64_t>("total_bytes");
    progress.what = fields.value<std::string>("what");
    return progress;
}

Loaded loadedFrom(const JsonFields& fields)
{
    Loaded loaded;
    loaded.parameters = fields.required<std::uint64_t>("parameters");
    loaded.dtypes = fields.required<std::map<std::string, std::uint64_t>>("dtypes");
    loaded.devices = fields.required<std::map<std::string, std::uint64_t>>("devices");
    loaded.tensors = fields.value<std::uint64_t>("tensors");
    loaded.missing = fields.value<std::vector<std::string>>("missing");
    loaded.unexpected = fields.value<std::vector<std::string>>("unexpected");
    loaded.misshaped = fields.value<std::vector<std::string>>("misshaped");
    loaded.missingCount = fields.value<std::uint64_t>("missing_count", loaded.missing.size());
    loaded.unexpectedCount = fields.value<std::uint64_t>("unexpected_count", loaded.unexpected.size());
    loaded.misshapedCount = fields.value<std::uint64_t>("misshaped_count", loaded.misshaped.size());
    loaded.familyKnown = fields.value<bool>("family_known");
    loaded.nonFiniteTensors = fields.value<std::uint64_t>("non_finite_tensors");
    loaded.nonFinite = fields.value<std::vector<std::string>>("non_finite");
    loaded.sampledValues = fields.value<std::uint64_t>("sampled_values");
    loaded.facts = fields.value<std::map<std::string, std::string>>("facts");
    return loaded;
}

WorkerError errorFrom(const JsonFields& fields)
{
    WorkerError error;
    error.type = fields.required<std::string>("type");
    error.message = fields.required<std::string>("message");
    error.traceback = fields.value<std::string>("traceback");
    error.file = fields.value<std::string>("file");
    error.remedy = fields.value<std::string>("remedy");
    return error;
}

Body bodyFrom(std::string_view type, const json& source)
{
    const JsonFields fields(source, std::string(type));
    if (type == "hello")
        return helloFrom(fields);
    if (type == "phase")
        return PhaseEntered{fields.required<std::string>("name")};
    if (type == "progress")
        return progressFrom(fields);
    if (type == "loaded")
        return loadedFrom(fields);
    if (type == "turn")
        return Turn{source.dump()};
    if (type == "warning")
        return Warning{fields.value<std::string>("code"), fields.required<std::string>("message")};
    if (type == "error")
        return errorFrom(fields);
    if (type == "bye")
        return Bye{fields.value<int>("code")};
    throw FieldError("'" + std::string(type) + "' is no event of protocol " + std::to_string(kVersion));
}

/// Adds "key" and, where UTF-8 cannot hold the bytes, "key_hex".
void putBytes(json& object, const std::string& key, const std::string& bytes)
{
    object[key] = toUtf8(bytes);
    if (!isUtf8(bytes))
        object[key + "_hex"] = toHex(bytes);
}

std::string takeBytes(const JsonFields& fields, const std::string& key)
{
    const auto hex = fields.optional<std::string>(key + "_hex");
    if (!hex)
        return fields.required<std::string>(key);
    std::string bytes = fromHex(*hex);
    if (bytes.empty() && !hex->empty())
        throw FieldError(fields.place(key + "_hex") + " is no hexadecimal text");
    return bytes;
}

} // namespace

std::string_view typeOf(const Message& message)
{
    return kTypes[message.body.index()];
}

json toJson(const Message& message)
{
    json object = std::visit([](const auto& body) { return fieldsOf(body); }, message.body);
    object["event"] = typeOf(message);
    object["t_ns"] = message.monotonicNs;
    return object;
}

json toJson(const Job& job)
{
    json object{{"command", "job"}, {"protocol", kVersion}, {"run", toUtf8(job.run)}, {"variant", toJson(job.variant)}};
    putBytes(object, "checkpoint", job.checkpoint);
    putBytes(object, "resources", job.resources);
    return object;
}

json toJson(const Command& command)
{
    if (const auto* exercise = std::get_if<Exercise>(&command))
        return {{"command", "exercise"}, {"kind", toUtf8(exercise->kind)}, {"argument", toUtf8(exercise->argument)}};
    return {{"command", std::holds_alternative<Cancel>(command) ? "cancel" : "unload"}};
}

Result<Message> messageFromJson(const json& source)
try {
    const JsonFields fields(source, "event");
    const auto type = fields.required<std::string>("event");
    Body body = bodyFrom(type, source);
    return Message{fields.required<std::int64_t>("t_ns"), std::move(body)};
} catch (const FieldError& error) {
    return Error{ErrorKind::Invalid, error.what()};
}

Result<Job> jobFromJson(const json& source)
try {
    const JsonFields fields(source, "job");
    if (const auto name = fields.required<std::string>("command"); name != "job")
        throw FieldError("the first line on stdin should be a job, but is '" + name + "'");
    if (const int version = fields.required<int>("protocol"); version != kVersion)
        throw FieldError(
            "the lab speaks protocol " + std::to_string(version) + ", this worker speaks " + std::to_string(kVersion));
    Job job;
    job.run = fields.required<std::string>("run");
    job.checkpoint = takeBytes(fields, "checkpoint");
    job.resources = takeBytes(fields, "resources");
    Result<Variant> variant = variantFromJson(fields.need("variant"));
    if (!variant)
        return std::move(variant).error().in("job");
    job.variant = *std::move(variant);
    return job;
} catch (const FieldError& error) {
    return Error{ErrorKind::Invalid, error.what()};
}

Result<Command> commandFromJson(const json& source)
try {
    const JsonFields fields(source, "command");
    const auto name = fields.required<std::string>("command");
    if (name == "exercise")
        return Command{Exercise{fields.required<std::string>("kind"), fields.value<std::string>("argument")}};
    if (name == "cancel")
        return Command{Cancel{}};
    if (name == "unload")
        return Command{Unload{}};
    return Error{ErrorKind::Invalid, "'" + name + "' is no command of protocol " + std::to_string(kVersion)};
} catch (const FieldError& error) {
    return Error{ErrorKind::Invalid, error.what()};
}

} // namespace loadlab::protocol
