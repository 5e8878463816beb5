#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

struct KernelLine {
    std::int64_t monotonicNs = 0; ///< The kernel's own clock: seconds beside CLOCK_MONOTONIC after days.
    std::string text; ///< UTF-8, without time and priority.
    bool kept = false; ///< By the firmware over a crash: of which boot, it does not say.
};
/// Of a line as journalctl (short-monotonic), dmesg and pstore have it: "[   12.345678] …", maybe with "<6>" before
/// it or "host kernel: " behind. False when it has no time.
bool parseKernelLine(std::string_view line, KernelLine& into);

struct BootLogPlaces {
    std::string journalctl = "journalctl"; ///< Sought in PATH.
    std::vector<std::filesystem::path> pstore{"/sys/fs/pstore", "/var/lib/systemd/pstore"};
};

/// What the kernel of an earlier boot said, in order of time: the last 2000 lines of its journal, and what pstore kept
/// of a crash since `since`. Blocks for `limit` at most; reads a few MiB at most. Nothing for what is no boot id.
std::vector<KernelLine> readBootLog(std::string_view bootId, std::chrono::system_clock::time_point since,
    std::chrono::milliseconds limit, const BootLogPlaces& places = {});

/// Those of a run, from `fromNs` on. What pstore kept counts only when it goes on behind `untilNs`, of which the run
/// stored something: else it is of another boot.
std::vector<KernelLine> linesOfRun(const std::vector<KernelLine>& log, std::int64_t fromNs, std::int64_t untilNs);

} // namespace loadlab
