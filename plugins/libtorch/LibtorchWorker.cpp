#include "LibtorchWorker.h"

#include "CheckpointGate.h"
#include "LoadFailure.h"
#include "StructureCheck.h"
#include "TensorLoader.h"
#include "TorchAbilities.h"
#include "TorchErrors.h"
#include "TorchScriptLoader.h"

#include <filesystem>
#include <malloc.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace loadlab {
namespace {

/// Only maps that share devices out need to know what is free, which costs a context on each.
bool sharesOut(const std::string& deviceMap)
{
    return deviceMap == "auto" || deviceMap == "balanced" || deviceMap == "sequential";
}

} // namespace

LibtorchWorker::LibtorchWorker(EventChannel& events)
    : m_events(events)
{
}

void LibtorchWorker::sayHello()
{
    m_events.send(protocol::Hello{protocol::kVersion, "libtorch", torchVersions(), torchFacts(torchAbilities(false))});
}

void LibtorchWorker::probe()
{
    sayHello();
}

int LibtorchWorker::bye(int code)
{
    m_events.send(protocol::Bye{code});
    return code;
}

int LibtorchWorker::run()
{
    sayHello();
    CommandChannel commands(STDIN_FILENO, m_events);
    const auto job = commands.waitForJob();
    if (!job) {
        m_events.send(
            protocol::WorkerError{"unknown", "the first line on stdin is no job: " + job.error().message, {}, {}, {}});
        return bye(1);
    }
    if (!*job)
        return bye(0);
    try {
        load(**job, commands.leave());
        hold(commands);
    } catch (const LoadStopped&) {
        // Told to leave: nothing to report.
    } catch (...) {
        return failed();
    }
    return bye(0);
}

int LibtorchWorker::failed()
{
    const std::string exception = nameOfCurrentException();
    const LoadFailure failure = failureOfCurrentException();
    const bool known = failure.mode != FailureMode::Unknown;
    m_events.send(protocol::WorkerError{known ? std::string(toWireName(failure.mode)) : exception, failure.message,
        exception, failure.file, failure.remedy});
    m_model.reset();
    return bye(1);
}

void LibtorchWorker::load(const protocol::Job& job, std::stop_token leave)
{
    m_events.send(protocol::PhaseEntered{"inspecting"});
    const LoadOptions options = LoadOptions::from(job.variant);
    const auto families = FamilyCatalog::load(std::filesystem::path(job.resources) / "families");
    for (const Error& broken : families.errors())
        m_events.warn("family_broken", broken.message);
    m_checkpoint = std::make_shared<const Checkpoint>(inspectToLoad(job.checkpoint, families, options.strict, leave));
    requireTorchScriptConsent(*m_checkpoint, options.allowTorchScript);
    if (m_checkpoint->isTorchScript)
        m_model = loadTorchScript(*m_checkpoint, job.variant, options, m_events, leave);
    else
        loadSafetensors(*m_checkpoint, job.variant, options, families, leave);
}

void LibtorchWorker::loadSafetensors(const Checkpoint& checkpoint, const Variant& variant, const LoadOptions& options,
    const FamilyCatalog& families, std::stop_token leave)
{
    const LoadPlan plan = planLoad(checkpoint, variant, options, torchAbilities(sharesOut(variant.deviceMap)));
    const StructureCheck structure = checkStructure(checkpoint, families);
    if (options.strict)
        insistOnStructure(structure, checkpoint);
    for (const protocol::Warning& warning : plan.warnings)
        m_events.send(warning);
    ::malloc_trim(0); // What planning took and gave back should not count as the model's.
    m_events.send(protocol::PhaseEntered{"reading"});
    m_model = loadTensors(
        checkpoint, plan, [this](const protocol::Progress& p) { m_events.send(p); }, leave);
    m_events.send(protocol::PhaseEntered{"checking"});
    protocol::Loaded loaded = m_model->describe();
    structure.writeTo(loaded);
    m_events.send(std::move(loaded));
}

void LibtorchWorker::hold(CommandChannel& commands)
{
    m_events.send(protocol::PhaseEntered{"holding"});
    while (const auto exercise = commands.waitForExercise())
        answer(*exercise);
    if (const auto whole = m_model->check(); !whole)
        m_events.warn("changed_while_held", whole.error().message);
    m_model.reset();
}

void LibtorchWorker::answer(const protocol::Exercise& exercise)
{
    if (exercise.kind == "load")
        m_events.send(protocol::Turn{nlohmann::json{{"kind", "load"}, {"ok", true}}.dump()});
    else if (exercise.kind == "digest")
        m_events.send(protocol::Turn{digestJson(exercise.argument).dump()});
    else
        m_events.warn(
            "unknown_exercise", "this backend knows no exercise '" + exercise.kind + "', only 'load' and 'digest'");
}

nlohmann::json LibtorchWorker::digestJson(const std::string& tensor) const
{
    const auto digest = m_model->digest(tensor);
    const auto whole = m_model->check();
    if (!digest || !whole)
        return {{"kind", "digest"}, {"ok", false}, {"tensor", tensor},
            {"why", whole ? "no tensor of that name" : whole.error().message}};
    return {{"kind", "digest"}, {"ok", true}, {"tensor", tensor}, {"dtype", digest->dtype}, {"shape", digest->shape},
        {"device", digest->device}, {"bytes", digest->bytes}, {"sha256", digest->sha256}};
}

} // namespace loadlab
