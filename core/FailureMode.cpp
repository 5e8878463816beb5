#include "core/FailureMode.h"

namespace loadlab {
namespace {

struct Names {
    std::string_view wire;
    std::string_view words;
};

constexpr std::array<Names, kFailureModeCount> kNames {{
    {"ok", "Loaded"},
    {"loaded_but_wrong", "Loaded but wrong"},
    {"model_missing", "Model missing"},
    {"incomplete_download", "Incomplete download"},
    {"corrupt_file", "Corrupt file"},
    {"missing_dependency", "Missing dependency"},
    {"unsupported_architecture", "Unsupported model"},
    {"structure_mismatch", "Structure mismatch"},
    {"dtype_quantization_conflict", "Dtype conflict"},
    {"device_map_error", "Device map error"},
    {"host_oom_killed", "Host OOM, killed"},
    {"host_alloc_failed", "Host memory refused"},
    {"device_oom", "Device OOM"},
    {"hang", "Hang"},
    {"native_crash", "Native crash"},
    {"gpu_driver_error", "GPU driver error"},
    {"access_denied", "Access denied"},
    {"remote_code_refused", "Code refused"},
    {"disk_io", "Disk I/O"},
    {"generation_error", "Generation error"},
    {"guard_stopped", "Stopped by guard"},
    {"timed_out", "Timed out"},
    {"cancelled", "Cancelled"},
    {"host_lost", "Host lost"},
    {"lab_lost", "Lab lost"},
    {"preflight_refused", "Refused before launch"},
    {"unknown", "Unknown"},
}};

} // namespace

std::string_view toWireName(FailureMode mode)
{
    return kNames[static_cast<std::size_t>(mode)].wire;
}

std::string_view toWords(FailureMode mode)
{
    return kNames[static_cast<std::size_t>(mode)].words;
}

std::optional<FailureMode> findFailureMode(std::string_view wireName)
{
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (kNames[i].wire == wireName)
            return static_cast<FailureMode>(i);
    return std::nullopt;
}

} // namespace loadlab
