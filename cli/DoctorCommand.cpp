#include "cli/BackendProbe.h"
#include "cli/Commands.h"
#include "cli/Lab.h"
#include "cli/Options.h"
#include "cli/Table.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/Version.h"
#include "core/containment/GroupCounters.h"
#include "core/containment/KernelLog.h"
#include "core/telemetry/Machine.h"
#include "core/telemetry/SelfTest.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <iterator>
#include <nlohmann/json.hpp>

// doctor, backends: what this machine and this installation can do.

namespace loadlab::cli {
using nlohmann::json;
namespace {

// Shares of the 10 s within which all of it ends. The probes run side by side, and beside what needs no quiet machine.
constexpr std::chrono::milliseconds kProbeLimit{8000};
constexpr std::chrono::milliseconds kDatabasePatience{1000};

/// The database as doctor sees it: never made, never changed.
struct DatabaseReport {
    std::string file;
    bool usable = false;
    std::string words;
};

struct Findings {
    MachineInfo machine;
    SystemMemory memory;
    std::vector<BackendReport> backends;
    std::vector<CounterInfo> counters;
    Containment containment = Containment::none({});
    SelfTestResult selfTest;
    DatabaseReport database;
};

DatabaseReport reportDatabase(const Lab& lab)
{
    DatabaseReport report{toUtf8(lab.database.string()), false, {}};
    const Result<RunStore> store = lab.openHistory(kDatabasePatience);
    if (!store && store.error().kind == ErrorKind::NotFound) {
        report.usable = true;
        report.words = "not there yet: the first run makes it";
    } else if (!store) {
        report.words = store.error().message;
    } else if (const Result<std::uint64_t> count = store->countRuns(); !count) {
        report.words = count.error().message;
    } else {
        report.usable = true;
        report.words = formatCount(*count, "run");
    }
    return report;
}

json toJson(const CounterInfo& counter)
{
    return {{"name", counter.name}, {"source", counter.source}, {"unit", counter.unit}, {"cost", counter.cost},
        {"bias", counter.bias}, {"available", counter.available},
        {"problem", counter.problem.empty() ? json(nullptr) : json(counter.problem)}};
}

json toJson(const Containment& containment)
{
    json offers = json::array();
    for (const ContainmentOffer& offer : containment.offers())
        offers.push_back({{"kind", offer.kind}, {"available", offer.available}, {"detail", toUtf8(offer.detail)}});
    return {{"used", toWireName(containment.kind())}, {"detail", toUtf8(containment.detail())},
        {"kernel_log", KernelLog().isReadable()}, {"offers", std::move(offers)}};
}

json toJson(const Findings& findings)
{
    json machine = loadlab::toJson(findings.machine);
    machine["available_bytes"] = findings.memory.availableBytes;
    json document{{"version", loadlabVersion()}, {"revision", gitRevision()}, {"machine", std::move(machine)},
        {"backends", json::array()}, {"counters", json::array()}, {"containment", toJson(findings.containment)},
        {"database",
            {{"file", findings.database.file}, {"usable", findings.database.usable},
                {"detail", findings.database.words}}}};
    document["self_test"] = loadlab::toJson(findings.selfTest);
    for (const BackendReport& backend : findings.backends)
        document["backends"].push_back(toJson(backend));
    for (const CounterInfo& counter : findings.counters)
        document["counters"].push_back(toJson(counter));
    return document;
}

void printMachine(Output& out, const Findings& findings)
{
    const MachineInfo& machine = findings.machine;
    out.printLine(out.painted(Paint::Strong, "Machine") + "  " + printable(machine.hostName) + ", "
        + printable(machine.distribution) + ", kernel " + printable(machine.kernel));
    out.printLine("  cpu      " + printable(machine.cpuModel) + ", " + std::to_string(machine.cpuCount) + " online");
    out.printLine("  memory   " + formatSize(machine.memoryBytes) + ", " + formatSize(findings.memory.availableBytes)
        + " available" + (machine.unifiedMemory ? ", shared with the GPU" : "") + "; swap "
        + (machine.swapBytes ? formatSize(machine.swapBytes) : "none"));
    out.printLine("  gpu      " + (machine.gpu.empty() ? "none seen" : printable(machine.gpu)));
}

std::string joined(const std::map<std::string, std::string>& facts)
{
    std::string text;
    for (const auto& [name, value] : facts)
        text += (text.empty() ? "" : ", ") + name + " " + value;
    return printable(text);
}

void printBackends(Output& out, const std::vector<BackendReport>& backends)
{
    out.printLine("\n" + out.painted(Paint::Strong, "Backends"));
    for (const BackendReport& backend : backends) {
        std::string state(toWireName(backend.state));
        std::ranges::replace(state, '_', ' ');
        out.printLine("  " + backend.name + "  " + out.painted(backend.isUsable() ? Paint::Good : Paint::Warn, state)
            + "  " + (backend.isUsable() ? joined(backend.versions) : printable(backend.problem)));
        if (backend.isUsable() && !backend.facts.empty())
            out.printLine("      " + joined(backend.facts));
        if (!backend.install.empty())
            out.printLine("      to install it: " + printable(backend.install));
    }
}

void printCounters(Output& out, const std::vector<CounterInfo>& counters)
{
    out.printLine("\n" + out.painted(Paint::Strong, "Counters"));
    Table table({{"name"}, {"unit", false, false, 1}, {"cost", true}, {"source"}, {"bias", false, true}});
    for (const CounterInfo& counter : counters)
        table.add({counter.name, counter.unit, counter.available ? counter.cost : "-", counter.source,
            {counter.available ? counter.bias : "not here: " + counter.problem,
                counter.available ? Paint::Plain : Paint::Warn}});
    table.printTo(out);
}

void printContainment(Output& out, const Containment& containment)
{
    const bool none = containment.kind() == GroupKind::None;
    out.printLine("\n" + out.painted(Paint::Strong, "Containment") + "  "
        + (none ? "none: caps are kept by the lab's own watchdog, and only the kernel's log can prove a kill"
                : printable(containment.detail())));
    for (const ContainmentOffer& offer : containment.offers())
        out.printLine("  " + offer.kind + "  "
            + (offer.available ? out.painted(Paint::Good, "available") : "not available") + "  "
            + printable(offer.detail));
    out.printLine(std::string("  kernel log  ")
        + (KernelLog().isReadable() ? "readable: names whom the kernel killed" : "not readable by this user"));
}

std::string mib(std::int64_t bytes)
{
    return (bytes < 0 ? "-" : "") + formatSize(static_cast<std::uint64_t>(bytes < 0 ? -bytes : bytes));
}

void printSelfTest(Output& out, const SelfTestResult& test)
{
    out.printLine("\n" + out.painted(Paint::Strong, "Self-test of the sampler") + "  "
        + out.painted(test.passed ? Paint::Good : Paint::Bad, test.passed ? "passed" : "failed") + "  asked "
        + std::to_string(std::lround(test.askedHz)) + " Hz, got " + std::to_string(std::lround(test.achievedHz))
        + " Hz, " + formatCount(test.missedTicks) + " ticks missed, at worst "
        + formatCount(static_cast<std::uint64_t>(test.worstLateness.count() / 1000)) + " us late, at " + test.priority);
    for (const SelfTestCheck& check : test.checks)
        out.printLine("  " + out.painted(check.passed ? Paint::Good : Paint::Bad, check.passed ? "ok    " : "wrong ")
            + printable(check.what) + ": " + printable(check.counter) + " moved by " + mib(check.measuredBytes)
            + ", expected " + mib(check.expectedBytes));
    if (!test.problem.empty())
        out.printLine("  " + printable(test.problem));
}

void print(Output& out, const Findings& findings)
{
    printMachine(out, findings);
    printBackends(out, findings.backends);
    printCounters(out, findings.counters);
    printContainment(out, findings.containment);
    printSelfTest(out, findings.selfTest);
    out.printLine("\n" + out.painted(Paint::Strong, "Database") + "  " + printable(findings.database.file) + ": "
        + printable(findings.database.words));
}

void printWords(Output& out, std::string_view label, const std::vector<PluginWord>& words)
{
    std::string text;
    for (const PluginWord& word : words)
        text += (text.empty() ? "" : ", ") + word.name;
    if (!text.empty())
        out.printLine("  " + std::string(label) + printable(text));
}

std::string typeWords(const PluginOption& option)
{
    switch (option.type) {
    case OptionType::Bool:
        return "true or false";
    case OptionType::Int:
        return "whole number";
    case OptionType::Number:
        return "number";
    case OptionType::Text:
        return "text";
    case OptionType::Choice:
        break;
    }
    std::string text;
    for (const std::string& choice : option.choices)
        text += (text.empty() ? "" : "|") + choice;
    return text;
}

void printPlugin(Output& out, const PluginEntry& entry)
{
    const bool good = entry.installed();
    out.printLine(out.painted(Paint::Strong, printable(entry.name)) + "  "
        + out.painted(good ? Paint::Good : Paint::Bad,
            good                 ? "installed"
                : entry.manifest ? "not installed"
                                 : "broken"));
    out.printLine("  folder       " + printable(entry.folder.string()));
    if (entry.error)
        out.printLine("  error        " + printable(entry.error->message));
    if (!entry.manifest)
        return;
    const PluginManifest& manifest = *entry.manifest;
    if (!good && !manifest.installCommand.empty())
        out.printLine("  to install   " + printable(manifest.installCommand));
    printWords(out, "dtypes       ", manifest.dtypes);
    printWords(out, "device maps  ", manifest.deviceMaps);
    if (manifest.takesJsonDeviceMap)
        out.printLine("               or {\"module\": \"device\"}");
    for (const PluginOption& option : manifest.options)
        out.printLine("  option       " + printable(option.name) + " = " + printable(typeWords(option)) + " (default "
            + (option.defaultValue.empty() ? "none" : printable(option.defaultValue)) + ")"
            + (option.help.empty() ? "" : ": " + printable(option.help)));
}

} // namespace

int doctor(Lab& lab, const Words&)
{
    Findings findings;
    findings.machine = readMachine();
    findings.memory = readSystemMemory();
    auto probes
        = std::async(std::launch::async, [&plugins = lab.plugins()] { return probeBackends(plugins, kProbeLimit); });
    findings.counters = probeCounters();
    findings.containment = Containment::probe();
    std::ranges::move(probeGroupCounters(findings.containment), std::back_inserter(findings.counters));
    findings.backends = probes.get();
    findings.selfTest = runSamplerSelfTest();
    findings.database = reportDatabase(lab);
    if (lab.json)
        lab.out.printJson(toJson(findings));
    else
        print(lab.out, findings);
    const bool canLoad
        = std::ranges::any_of(findings.backends, [](const BackendReport& one) { return one.isUsable() && one.loads; });
    if (!canLoad)
        lab.out.error("no backend can load anything here: what each of them lacks stands above.");
    if (!findings.selfTest.passed)
        lab.out.error("the sampler did not measure all that it should have: see its self-test above.");
    return canLoad && findings.selfTest.problem.empty() ? kDone : kLabCannot;
}

int backends(Lab& lab, const Words&)
{
    json list = json::array();
    for (const PluginEntry& entry : lab.plugins()) {
        if (lab.json)
            list.push_back(loadlab::toJson(entry));
        else
            printPlugin(lab.out, entry);
    }
    for (const std::string& name : knownBackendNames()) {
        if (std::ranges::find(lab.plugins(), name, &PluginEntry::name) != lab.plugins().end())
            continue;
        const std::string why = "not part of this installation";
        if (lab.json)
            list.push_back({{"name", name}, {"folder", nullptr}, {"installed", false}, {"error", why}});
        else
            lab.out.printLine(lab.out.painted(Paint::Strong, name) + "  " + why);
    }
    if (lab.json)
        lab.out.printJson(list);
    return kDone;
}

} // namespace loadlab::cli
