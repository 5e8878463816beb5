#include "cli/TrialOrder.h"

#include "cli/Lab.h"
#include "cli/Options.h"
#include "cli/Values.h"
#include "core/LimitWords.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/Zoo.h"

#include <algorithm>

namespace loadlab::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kProgramBackend = "command";

Error wrong(std::string message)
{
    return {ErrorKind::Invalid, std::move(message)};
}

const PluginEntry* findPlugin(Lab& lab, std::string_view name)
{
    const PluginEntry* named = nullptr;
    for (const PluginEntry& entry : lab.plugins())
        if (entry.name == name && (!named || !named->manifest))
            named = &entry;
    return named;
}

Result<void> checkBackendName(Lab& lab, std::string_view name)
{
    std::vector<std::string> names = knownBackendNames();
    for (const PluginEntry& entry : lab.plugins())
        if (std::ranges::find(names, entry.name) == names.end())
            names.push_back(entry.name);
    if (std::ranges::find(names, name) != names.end())
        return {};
    return wrong("--backend: " + inQuotes(name) + " is no backend." + nearestHint(name, names));
}

Result<void> checkWhatIsLoaded(const Words& words, std::string_view backend, bool takesProgram)
{
    if (!takesProgram && !words.program.empty())
        return wrong(inQuotes(words.program.front()) + ": backend '" + std::string(backend)
            + "' takes no program after '--'; --backend command does.");
    if (takesProgram && words.program.empty())
        return wrong(
            "backend '" + std::string(backend) + "' lacks its program: loadlab run --backend command -- PROGRAM ARG…");
    if (takesProgram && words.program.front().empty())
        return wrong("'' is no PROGRAM: it is empty.");
    if (!takesProgram && words.operands.empty())
        return wrong("'run' lacks a word: loadlab run CHECKPOINT");
    return {};
}

Variant askedVariant(const Words& words, std::string_view backend)
{
    Variant asked;
    asked.backend = backend;
    // Empty: the manifest's own default.
    asked.dtype = words.value("--dtype").value_or("");
    asked.deviceMap = words.value("--device-map").value_or("");
    if (const auto memory = words.value("--max-memory"))
        asked.maxMemory = *parseMaxMemory(*memory);
    for (const std::string& option : words.values("--option")) {
        auto [key, value] = *parseKeyValue(option);
        asked.options[key] = value;
    }
    return asked;
}

Result<void> checkOptionsOnce(const Words& words)
{
    std::map<std::string, std::string> seen;
    for (const std::string& option : words.values("--option")) {
        const auto [key, value] = *parseKeyValue(option);
        if (const auto [before, fresh] = seen.emplace(key, value); !fresh && before->second != value)
            return wrong("--option: '" + toUtf8(key) + "' is given twice: " + inQuotes(before->second) + " and "
                + inQuotes(value) + ". Leave one.");
    }
    return {};
}

Result<ProgramVariables> askedVariables(const Words& words, std::string_view backend, bool takesProgram)
{
    const auto given = words.values("--env");
    if (!takesProgram && !given.empty())
        return wrong("--env: backend '" + std::string(backend) + "' takes no variables; --backend command does.");
    Result<ProgramVariables> variables = parseVariables({given.begin(), given.end()});
    if (!variables)
        return std::move(variables).error().in("--env");
    if (Result<void> known = checkSecretsKnown(*variables); !known)
        return std::move(known).error().in("--env");
    return variables;
}

Error notInstalled(const Lab& lab, std::string_view name, const PluginEntry* entry)
{
    const std::string backend = "backend '" + std::string(name) + "'";
    if (entry && entry->error)
        return {ErrorKind::NotFound, backend + " is broken: " + entry->error->message};
    if (entry && entry->manifest) {
        const std::string& command = entry->manifest->installCommand;
        return {ErrorKind::NotFound,
            backend + " is not installed: " + toUtf8(entry->manifest->programPath().string())
                + " is not there or may not be run." + (command.empty() ? "" : " To install it: " + command)};
    }
    return {ErrorKind::NotFound,
        backend + " is not installed: no plugin of that name in " + toUtf8(lab.locations.pluginRoots.back().string())
            + ", and this version does not bring it. A plugin folder of your own is found through "
              "LOADLAB_PLUGIN_PATH=DIR."};
}

Limits askedLimits(const Words& words)
{
    Limits limits;
    if (const auto timeout = words.value("--timeout"))
        limits.timeout = *parseTimeLimit(*timeout);
    if (const auto stall = words.value("--stall"))
        limits.stall = *parseTimeLimit(*stall);
    if (const auto cap = words.value("--cap-memory"))
        limits.capMemoryBytes = *parseCap(*cap);
    if (const auto cap = words.value("--cap-swap"))
        limits.capSwapBytes = *parseSize(*cap);
    if (const auto margin = words.value("--guard"))
        limits.guard = *parseGuardMargin(*margin);
    if (const auto hz = words.value("--sample-hz"))
        limits.sampleHz = *parseSampleHz(*hz);
    return limits;
}

Result<fs::path> checkpointOf(Lab& lab, const Words& words)
{
    if (words.operands.empty())
        return fs::path();
    const std::string& word = words.operands.front();
    Result<fs::path> found = findCheckpoint(word, lab.zooFolders());
    if (found || found.error().kind == ErrorKind::Invalid)
        return found;
    lab.out.note(found.error().message + " (tried all the same: a missing model is a result)");
    return fs::path(word);
}

} // namespace

Result<TrialOrder> makeTrialOrder(Lab& lab, const Words& words)
{
    const std::string_view backend = words.value("--backend").value_or("libtorch");
    if (const Result<void> known = checkBackendName(lab, backend); !known)
        return known.error();
    const PluginEntry* entry = findPlugin(lab, backend);
    const bool takesProgram = entry && entry->manifest ? entry->manifest->takesProgram : backend == kProgramBackend;
    if (const Result<void> good = checkWhatIsLoaded(words, backend, takesProgram); !good)
        return good.error();
    if (const Result<void> once = checkOptionsOnce(words); !once)
        return once.error();
    Result<ProgramVariables> variables = askedVariables(words, backend, takesProgram);
    if (!variables)
        return std::move(variables).error();

    TrialOrder order;
    if (entry && entry->manifest) {
        Result<Variant> variant = entry->manifest->normalise(askedVariant(words, backend));
        if (!variant)
            return wrong(std::move(variant).error().message);
        order.spec.variant = *std::move(variant);
    }
    if (!entry || !entry->installed())
        return notInstalled(lab, backend, entry);
    Result<fs::path> checkpoint = checkpointOf(lab, words);
    if (!checkpoint)
        return std::move(checkpoint).error();
    order.spec.checkpoint = *std::move(checkpoint);
    order.spec.limits = askedLimits(words);
    order.spec.plugin = *entry->manifest;
    order.spec.program = words.program;
    order.spec.variables = *std::move(variables);
    order.repeated = words.has("--repeat");
    order.times = order.repeated ? *parseCount(*words.value("--repeat"), 1, 1000) : 1;
    order.follow = words.has("--follow");
    return order;
}

} // namespace loadlab::cli
