#include "core/checkpoint/Zoo.h"

#include "core/Locations.h"
#include "core/Text.h"
#include "core/checkpoint/ZooSearch.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

/// Candidates of one zoo folder, and what became of them.
struct Task {
    std::size_t folder = 0;
    fs::path path;
    std::optional<Checkpoint> checkpoint;
};

/// A checkpoint that could not be inspected at all is listed too, with the reason.
Checkpoint unreadable(const fs::path& path, const Error& error)
{
    Checkpoint checkpoint;
    checkpoint.path = path;
    checkpoint.name = toUtf8(path.filename().native());
    checkpoint.state = CheckpointState::Incomplete;
    checkpoint.problems.push_back(
        {error.kind == ErrorKind::Io ? FailureMode::DiskIo : FailureMode::IncompleteDownload, "", error.message});
    return checkpoint;
}

using Found = std::function<void(const fs::path&, const Checkpoint&)>;

void inspectAll(std::vector<Task>& tasks, const std::vector<ZooFolder>& folders, const FamilyCatalog& families,
    const Found& found, const std::stop_token& stop)
{
    InspectOptions options;
    options.threads = 1; // many small ones at once instead
    options.stop = stop;
    std::atomic<std::size_t> next = 0;
    std::mutex telling;
    const auto work = [&] {
        for (std::size_t i = next++; i < tasks.size() && !stop.stop_requested(); i = next++) {
            Task& task = tasks[i];
            Result<Checkpoint> inspected = inspectCheckpoint(task.path, families, options);
            if (!inspected && inspected.error().kind == ErrorKind::Cancelled)
                return;
            task.checkpoint = inspected ? std::move(*inspected) : unreadable(task.path, inspected.error());
            if (found) {
                const std::lock_guard lock(telling);
                found(folders[task.folder].path, *task.checkpoint);
            }
        }
    };
    std::vector<std::jthread> others;
    const std::size_t most = std::min(4U, std::max(1U, std::thread::hardware_concurrency()));
    for (std::size_t i = 1; i < std::min(most, tasks.size() / 4); ++i)
        others.emplace_back(work);
    work();
}

} // namespace

fs::path hubCacheFolder()
{
    for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
        if (const std::string value = variable(name); !value.empty())
            return value;
    if (const std::string home = variable("HF_HOME"); !home.empty())
        return fs::path(home) / "hub";
    if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty())
        return fs::path(cache) / "huggingface" / "hub";
    return homeFolder() / ".cache" / "huggingface" / "hub";
}

std::vector<ZooFolder> scanZoo(
    const std::vector<fs::path>& folders, const FamilyCatalog& families, const Found& found, std::stop_token stop)
{
    std::vector<ZooFolder> zoo;
    std::vector<Task> tasks;
    for (const fs::path& folder : folders) {
        ZooCandidates candidates = findCandidates(folder, stop);
        for (ZooCandidate& candidate : candidates.found)
            tasks.push_back({zoo.size(), std::move(candidate.path), std::nullopt});
        zoo.push_back({folder, candidates.isHubCache, {}, std::move(candidates.error)});
    }
    inspectAll(tasks, zoo, families, found, stop);
    for (Task& task : tasks)
        if (task.checkpoint)
            zoo[task.folder].checkpoints.push_back(std::move(*task.checkpoint));
    return zoo;
}

} // namespace loadlab
