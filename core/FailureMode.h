#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace loadlab {

/// The word of a verdict: what must be different for this load to work. Meanings: docs/ARCHITECTURE.md, "Verdicts".
enum class FailureMode : std::uint8_t {
    Ok, LoadedButWrong, ModelMissing, IncompleteDownload, CorruptFile, MissingDependency, UnsupportedArchitecture,
    StructureMismatch, DtypeQuantizationConflict, DeviceMapError, HostOomKilled, HostAllocFailed, DeviceOom, Hang,
    NativeCrash, GpuDriverError, AccessDenied, RemoteCodeRefused, DiskIo, GenerationError, GuardStopped, TimedOut,
    Cancelled, HostLost, LabLost, PreflightRefused, Unknown
};
inline constexpr std::size_t kFailureModeCount = static_cast<std::size_t>(FailureMode::Unknown) + 1;

/// The wire name, e.g. "host_oom_killed": in JSON, in the database, on the command line.
std::string_view toWireName(FailureMode mode);
/// The mode of a wire name; nothing for any other word.
std::optional<FailureMode> findFailureMode(std::string_view wireName);
/// The words a person reads, e.g. "Host OOM, killed".
std::string_view toWords(FailureMode mode);

} // namespace loadlab
