#include "CheckpointGate.h"

#include "LoadFailure.h"

#include <algorithm>

namespace loadlab {
namespace {

LoadFailure failureOf(const Error& error)
{
    switch (error.kind) {
    case ErrorKind::NotFound:
        return {FailureMode::ModelMissing, error.message};
    case ErrorKind::Io:
        return {FailureMode::DiskIo, error.message};
    default:
        return {FailureMode::CorruptFile, error.message};
    }
}

/// What the state stands for, when no problem says it more precisely.
FailureMode modeOf(CheckpointState state)
{
    switch (state) {
    case CheckpointState::Empty:
        return FailureMode::ModelMissing;
    case CheckpointState::Corrupt:
        return FailureMode::CorruptFile;
    default:
        return FailureMode::IncompleteDownload;
    }
}

/// Consent and unknown architectures are judged elsewhere: they leave the files as they are.
bool concernsTheFiles(const Problem& problem)
{
    return problem.mode != FailureMode::RemoteCodeRefused && problem.mode != FailureMode::UnsupportedArchitecture;
}

bool onlyStructureIsWrong(const Checkpoint& checkpoint)
{
    return checkpoint.state == CheckpointState::Incomplete && !checkpoint.problems.empty()
        && std::ranges::all_of(checkpoint.problems,
            [](const Problem& p) { return p.mode == FailureMode::StructureMismatch || !concernsTheFiles(p); });
}

LoadFailure brokenBy(const Checkpoint& checkpoint)
{
    const FailureMode expected = modeOf(checkpoint.state);
    const auto& problems = checkpoint.problems;
    auto found = std::find_if(problems.begin(), problems.end(), [&](const Problem& p) { return p.mode == expected; });
    if (found == problems.end())
        found = std::find_if(problems.begin(), problems.end(), concernsTheFiles);
    if (found == problems.end())
        return {expected,
            "'" + checkpoint.name + "' cannot be loaded: its state is " + std::string(toWireName(checkpoint.state))};
    std::string text = found->text;
    if (!found->file.empty() && !text.starts_with(found->file)) // "'x' is absent", "'x': cut short"
        text = "'" + found->file + (text.starts_with("is ") ? "' " : "': ") + text;
    if (const auto others = std::count_if(problems.begin(), problems.end(), concernsTheFiles) - 1; others > 0)
        text += " (and " + std::to_string(others) + (others == 1 ? " more problem)" : " more problems)");
    return {found->mode, text, {}, found->file};
}

void refusePickles(const Checkpoint& checkpoint)
{
    if (!checkpoint.isPickle)
        return;
    const std::string name = checkpoint.files.empty() ? checkpoint.name : checkpoint.files.front().name;
    const auto weights = std::find_if(
        checkpoint.files.begin(), checkpoint.files.end(), [](const auto& file) { return file.role == "weights"; });
    const std::string file = weights == checkpoint.files.end() ? name : weights->name;
    throw LoadFailure(FailureMode::RemoteCodeRefused,
        file + " is a pickle: reading it runs whatever code it holds, which this backend never does", {}, file);
}

} // namespace

Checkpoint inspectToLoad(
    const std::filesystem::path& path, const FamilyCatalog& families, bool strict, std::stop_token stop)
{
    auto checkpoint = inspectCheckpoint(path, families, {.sampleTails = true, .stop = stop});
    if (!checkpoint && (stop.stop_requested() || checkpoint.error().kind == ErrorKind::Cancelled))
        throw LoadStopped();
    if (!checkpoint)
        throw failureOf(checkpoint.error());
    const bool whole
        = checkpoint->state == CheckpointState::Complete || checkpoint->state == CheckpointState::Unsupported;
    if (!whole && (strict || !onlyStructureIsWrong(*checkpoint)))
        throw brokenBy(*checkpoint);
    refusePickles(*checkpoint);
    if (checkpoint->weightFiles.empty() && !checkpoint->isTorchScript)
        throw LoadFailure(FailureMode::UnsupportedArchitecture,
            "'" + checkpoint->name
                + "' holds no weights in a format that this backend reads (safetensors, TorchScript)",
            "Convert the weights to safetensors.");
    return std::move(*checkpoint);
}

void requireTorchScriptConsent(const Checkpoint& checkpoint, bool consent)
{
    if (consent || !checkpoint.isTorchScript)
        return;
    throw LoadFailure(FailureMode::RemoteCodeRefused,
        "'" + checkpoint.name + "' is a TorchScript program: loading it runs its code", {});
}

} // namespace loadlab
