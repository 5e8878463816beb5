#include "cli/BackendProbe.h"

#include "cli/Output.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/worker/JsonLineReader.h"
#include "core/worker/Protocol.h"
#include "core/worker/Spawn.h"
#include "core/worker/Subprocess.h"

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>

namespace loadlab::cli {
namespace {

std::string lastLine(std::string_view text)
{
    while (!text.empty() && text.back() == '\n')
        text.remove_suffix(1);
    const std::size_t newline = text.rfind('\n');
    return printable(newline == std::string_view::npos ? text : text.substr(newline + 1));
}

std::string endWords(const ProgramOutput& output)
{
    std::string words = output.status.signal ? "ended by signal " + std::to_string(*output.status.signal)
                                             : "exit code " + std::to_string(output.status.code.value_or(-1));
    if (const std::string said = lastLine(output.standardError); !said.empty())
        words += ": " + said;
    return words;
}

/// The hello among what the probe printed.
Result<protocol::Hello> helloIn(const ProgramOutput& output)
{
    JsonLineReader reader;
    const Result<std::vector<nlohmann::json>> lines = reader.feed(output.standardOutput);
    if (!lines)
        return lines.error();
    for (const nlohmann::json& line : *lines) {
        const Result<protocol::Message> message = protocol::messageFromJson(line);
        if (!message)
            return message.error();
        if (const auto* hello = std::get_if<protocol::Hello>(&message->body))
            return *hello;
    }
    return Error{ErrorKind::Worker, "it did not say hello (" + endWords(output) + ")"};
}

WorkerCommand probeCommand(const PluginManifest& manifest)
{
    WorkerCommand command;
    command.program = manifest.programPath();
    command.arguments = manifest.arguments;
    command.arguments.insert(command.arguments.end(), manifest.probeArguments.begin(), manifest.probeArguments.end());
    return command;
}

std::string silenceWords(const WorkerCommand& command, std::chrono::milliseconds limit)
{
    return "it did not answer within " + formatDuration(limit)
        + "; on a busy machine that is no fault: try again when there is less to do, or wait for its answer with "
        + commandLineOf(command);
}

void ask(const PluginManifest& manifest, std::chrono::milliseconds limit, BackendReport& report)
{
    const WorkerCommand command = probeCommand(manifest);
    const Result<ProgramOutput> output = runToEnd(command, limit);
    const Result<protocol::Hello> hello = output ? helloIn(*output) : Result<protocol::Hello>(output.error());
    if (hello) {
        report.state = BackendState::Usable;
        report.versions = hello->versions;
        report.facts = hello->facts;
    } else if (hello.error().kind == ErrorKind::Timeout) {
        report.state = BackendState::Silent;
        report.problem = silenceWords(command, limit);
    } else {
        report.state = BackendState::Failed;
        report.problem = hello.error().message;
        report.install = manifest.installCommand;
    }
}

BackendReport probe(const PluginEntry& entry, std::chrono::milliseconds limit)
{
    BackendReport report;
    report.name = entry.name;
    if (!entry.manifest) {
        report.state = BackendState::Broken;
        report.problem = entry.error ? entry.error->message : "no manifest";
    } else if (!entry.installed()) {
        report.problem = toUtf8(entry.manifest->programPath().string()) + " is not there or may not be run";
        report.install = entry.manifest->installCommand;
    } else if (entry.manifest->takesProgram) { // There is nothing to ask: what it runs is named at the run.
        report.state = BackendState::Usable;
        report.loads = false;
        report.facts = {{"runs", "any program"}};
    } else {
        ask(*entry.manifest, limit, report);
    }
    return report;
}

} // namespace

std::string_view toWireName(BackendState state)
{
    switch (state) {
    case BackendState::Usable:
        return "usable";
    case BackendState::NotInstalled:
        return "not_installed";
    case BackendState::Broken:
        return "broken";
    case BackendState::Silent:
        return "no_answer";
    case BackendState::Failed:
        return "failed";
    }
    return "";
}

nlohmann::json toJson(const BackendReport& report)
{
    return {{"name", report.name}, {"usable", report.isUsable()}, {"state", toWireName(report.state)},
        {"versions", report.versions}, {"facts", report.facts},
        {"problem", report.problem.empty() ? nlohmann::json(nullptr) : nlohmann::json(report.problem)},
        {"install", report.install.empty() ? nlohmann::json(nullptr) : nlohmann::json(report.install)}};
}

std::vector<BackendReport> probeBackends(const std::vector<PluginEntry>& plugins, std::chrono::milliseconds limit)
{
    std::vector<std::future<BackendReport>> probes;
    for (const PluginEntry& entry : plugins)
        probes.push_back(std::async(std::launch::async, [&entry, limit] { return probe(entry, limit); }));
    std::vector<BackendReport> reports;
    for (auto& running : probes)
        reports.push_back(running.get());
    for (const std::string& name : knownBackendNames())
        if (std::ranges::find(reports, name, &BackendReport::name) == reports.end()) {
            BackendReport absent;
            absent.name = name;
            absent.problem = "not part of this installation";
            reports.push_back(std::move(absent));
        }
    std::ranges::sort(reports, {}, &BackendReport::name);
    return reports;
}

} // namespace loadlab::cli
