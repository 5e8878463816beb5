#include "core/checkpoint/Checkpoint.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/HubCache.h"
#include "core/checkpoint/Inspection.h"

#include <array>
#include <sys/stat.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 6> kStateNames{
    "empty", "pointer", "corrupt", "incomplete", "unsupported", "complete"};

fs::path absolutePath(const fs::path& path)
{
    std::error_code code;
    fs::path absolute = fs::absolute(path, code).lexically_normal();
    return absolute.has_filename() ? absolute : absolute.parent_path();
}

/// What stands at the path; an Error where there is nothing that could be inspected.
Result<bool> isFolder(const fs::path& path)
{
    const std::string name = toUtf8(path.native());
    struct stat status { };
    if (::lstat(path.c_str(), &status) != 0) {
        const int code = errno;
        if (code == ENOENT || code == ENOTDIR)
            return Error{ErrorKind::NotFound, name + ": no such file or folder"};
        return Error{ErrorKind::Io, name + ": " + std::generic_category().message(code)};
    }
    if (S_ISLNK(status.st_mode) && ::stat(path.c_str(), &status) != 0) {
        const int code = errno;
        return Error{code == ENOENT ? ErrorKind::NotFound : ErrorKind::Io,
            name + ": " + (code == ENOENT ? "is a link to something absent" : std::generic_category().message(code))};
    }
    if (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode);
    return Error{ErrorKind::Invalid,
        name + ": is " + std::string(wordsForKind(status.st_mode)) + ", not a checkpoint; it was not opened"};
}

void reportIncomplete(const std::vector<IncompleteBlob>& blobs, Findings& findings)
{
    for (const IncompleteBlob& blob : blobs) {
        if (blob.isLeftOver)
            findings.note(blob.name + " is left over from an interrupted download; the whole file is there too");
        else
            findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, blob.name,
                "an unfinished download: " + formatCount(blob.sizeBytes) + " bytes so far. Fetch the model again");
    }
}

Result<void> inspectRepo(const HubRepo& repo, const fs::path& path, Checkpoint& checkpoint, Inspection& inspection)
{
    Findings& findings = inspection.findings();
    checkpoint.name = repo.id;
    fs::path folder = path;
    if (path == repo.folder) {
        const HubSnapshot snapshot = chooseSnapshot(repo);
        if (!snapshot.note.empty())
            findings.note(snapshot.note);
        if (!snapshot.problem.empty())
            findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, "", snapshot.problem);
        folder = snapshot.folder;
    }
    const std::vector<IncompleteBlob> blobs = findIncompleteBlobs(repo);
    reportIncomplete(blobs, findings);
    if (!folder.empty())
        return inspection.folder(folder, true);
    if (findings.state() == CheckpointState::Complete)
        findings.problem(CheckpointState::Empty, FailureMode::ModelMissing, "", "the cache holds no snapshot of it");
    return {};
}

} // namespace

std::string_view toWireName(CheckpointState state)
{
    return kStateNames[static_cast<std::size_t>(state)];
}

Result<Checkpoint> inspectCheckpoint(const fs::path& path, const FamilyCatalog& families, const InspectOptions& options)
{
    Checkpoint checkpoint;
    checkpoint.path = absolutePath(path);
    checkpoint.name = toUtf8(checkpoint.path.filename().native());
    const Result<bool> folder = isFolder(checkpoint.path);
    if (!folder)
        return folder.error();
    Inspection inspection(checkpoint, families, options);
    Result<void> inspected;
    if (!*folder) {
        const Result<RegularFile> file = RegularFile::open(checkpoint.path);
        if (!file)
            return Error(file.error()).in(toUtf8(checkpoint.path.native()));
        inspection.singleFile(checkpoint.path, *file);
    } else if (const std::optional<HubRepo> repo = findHubRepo(checkpoint.path)) {
        inspected = inspectRepo(*repo, checkpoint.path, checkpoint, inspection);
    } else {
        inspected = inspection.folder(checkpoint.path, false);
        if (inspected)
            reportIncomplete(findIncompleteLocalFiles(checkpoint.path), inspection.findings());
    }
    if (!inspected)
        return inspected.error();
    if (options.stop.stop_requested())
        return Error{ErrorKind::Cancelled, "the inspection of " + toUtf8(checkpoint.path.native()) + " was cancelled"};
    inspection.finish();
    return checkpoint;
}

} // namespace loadlab
