#pragma once

#include "core/telemetry/Machine.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace loadlab {

/// A file in memory: it stays when its maker has ended.
struct ShmFile {
    std::string name; ///< Relative to the folder, UTF-8.
    std::uint64_t bytes = 0; ///< Held, not its length.
    std::uint64_t inode = 0;
};

/// The machine before or after a run, as far as a run may leave traces.
struct HostState {
    SystemMemory memory;
    std::vector<ShmFile> shmFiles; ///< This user's, at most 10 000.
};
HostState readHostState(const std::filesystem::path& shmFolder = "/dev/shm");

/// Files that are new, or hold more than before (then with the growth as bytes); largest first.
std::vector<ShmFile> newShmFiles(const HostState& before, const HostState& after);

} // namespace loadlab
