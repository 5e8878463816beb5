#include "gui/Remedies.h"

#include <nlohmann/json.hpp>

namespace loadlab {

Result<Variant> withChange(const Variant& variant, std::string_view changeJson)
{
    const nlohmann::json change = nlohmann::json::parse(changeJson, nullptr, false);
    if (!change.is_object())
        return Error{ErrorKind::Invalid, "this remedy changes nothing that a trial could be started with"};
    nlohmann::json changed = toJson(variant);
    changed.merge_patch(change);
    return variantFromJson(changed);
}

Result<TrialSpec> trialOf(const Lab& lab, const RunResult& run, const Variant& variant)
{
    const PluginManifest* plugin = lab.findPlugin(variant.backend);
    if (!plugin)
        return Error{ErrorKind::NotFound, "the backend " + variant.backend + " is not installed any more"};
    if (plugin->takesProgram && run.identity.program.empty())
        return Error{ErrorKind::Invalid, "this run was stored without the program that it watched"};
    if (Result<void> known = checkSecretsKnown(run.identity.variables); !known)
        return Error{ErrorKind::Invalid, known.error().message + ", by \"With changes…\""};
    Result<Variant> normal = plugin->normalise(variant);
    if (!normal)
        return std::move(normal).error();
    TrialSpec spec;
    spec.checkpoint = run.identity.checkpointPath;
    spec.variant = std::move(*normal);
    spec.limits = run.identity.limits;
    spec.plugin = *plugin;
    spec.program = run.identity.program;
    spec.workingFolder = run.identity.workingFolder;
    spec.variables = run.identity.variables;
    spec.parentUuid = run.identity.uuid;
    return spec;
}

} // namespace loadlab
