#include "core/containment/HostState.h"

#include "core/Text.h"

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostFiles = 10'000;
constexpr int kDeepest = 3;
constexpr std::uint64_t kBlock = 512; // Of st_blocks, whatever the file system.

} // namespace

HostState readHostState(const fs::path& shmFolder)
{
    HostState state;
    state.memory = readSystemMemory();
    std::error_code error;
    const auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator at(shmFolder, options, error), end; !error && at != end;
         at.increment(error)) {
        if (at.depth() >= kDeepest)
            at.disable_recursion_pending();
        struct stat file { };
        if (::lstat(at->path().c_str(), &file) != 0 || !S_ISREG(file.st_mode) || file.st_uid != ::geteuid())
            continue;
        state.shmFiles.push_back({toUtf8(at->path().lexically_relative(shmFolder).string()),
            static_cast<std::uint64_t>(file.st_blocks) * kBlock, file.st_ino});
        if (state.shmFiles.size() >= kMostFiles)
            break;
    }
    return state;
}

std::vector<ShmFile> newShmFiles(const HostState& before, const HostState& after)
{
    std::vector<ShmFile> fresh;
    for (const ShmFile& file : after.shmFiles) {
        const auto old = std::ranges::find(before.shmFiles, file.inode, &ShmFile::inode);
        const std::uint64_t had = old == before.shmFiles.end() ? 0 : old->bytes;
        if (file.bytes > had)
            fresh.push_back({file.name, file.bytes - had, file.inode});
    }
    std::ranges::sort(fresh, std::greater<>(), &ShmFile::bytes);
    return fresh;
}

} // namespace loadlab
