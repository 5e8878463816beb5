#pragma once

#include "core/telemetry/OpenFiles.h"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace loadlab {

/// Tells what is loaded from what is kept, among the files that a process may write as well: numpy.memmap opens its
/// files so. Blocks for as long as the file system does not answer. One thread.
class ReadWriteFiles {
public:
    ReadWriteFiles();
    /// Whether nothing tells that it is written to: not a database or a log, by its name or its first bytes, not shared
    /// memory (below /dev), not modified since this object was made, nor changed since it was first asked for (ByFile:
    /// by turns). What is written by a mapping of a tmpfs shows in none of these.
    bool isOnlyRead(const std::filesystem::path& file, const KnownFile& known);
    void endTurn() { m_first.endTurn(); }

private:
    struct First {
        std::optional<KnownFile> known;
        bool isRecord = false; ///< Database, log or shared memory.
    };
    std::int64_t m_sinceNs; ///< Of CLOCK_REALTIME, as the times of files.
    ByFile<First> m_first;
};

} // namespace loadlab
