#include "cli/BackendProbe.h"

#include "cli/Output.h"
#include "core/Text.h"
#include "core/worker/JsonLineReader.h"
#include "core/worker/Protocol.h"
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

BackendReport probe(const PluginEntry& entry, std::chrono::milliseconds limit)
{
    BackendReport report;
    report.name = entry.name;
    if (!entry.manifest) {
        report.problem = entry.error ? entry.error->message : "no manifest";
        return report;
    }
    report.install = entry.manifest->installCommand;
    if (!entry.installed()) {
        report.problem = toUtf8(entry.manifest->programPath().string()) + " is not there or may not be run";
        return report;
    }
    if (entry.manifest->takesProgram) { // There is nothing to ask: what it runs is named at the run.
        report.usable = true;
        report.loads = false;
        report.facts = {{"runs", "any program"}};
        return report;
    }
    WorkerCommand command;
    command.program = entry.manifest->programPath();
    command.arguments = entry.manifest->arguments;
    command.arguments.insert(
        command.arguments.end(), entry.manifest->probeArguments.begin(), entry.manifest->probeArguments.end());
    const Result<ProgramOutput> output = runToEnd(std::move(command), limit);
    const Result<protocol::Hello> hello = output ? helloIn(*output) : Result<protocol::Hello>(output.error());
    report.usable = hello.has_value();
    if (!hello) {
        report.problem = hello.error().message;
        return report;
    }
    report.versions = hello->versions;
    report.facts = hello->facts;
    report.install.clear();
    return report;
}

} // namespace

nlohmann::json toJson(const BackendReport& report)
{
    return {{"name", report.name}, {"usable", report.usable}, {"versions", report.versions}, {"facts", report.facts},
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
