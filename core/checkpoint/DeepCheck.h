#pragma once

#include "core/checkpoint/Checkpoint.h"

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string_view>

namespace loadlab {

/// What reading every byte of a checkpoint gave.
struct DeepReport {
    std::uint64_t files = 0; ///< Read to their end.
    std::uint64_t hashed = 0; ///< Of these, compared with the SHA-256 that the hub cache names its blobs by.
    std::uint64_t bytes = 0;
};
nlohmann::json toJson(const DeepReport& report);

/// Bytes of the files that deepCheck() will read.
std::uint64_t deepBytes(const Checkpoint& checkpoint);

/// Reads every file of the checkpoint. What cannot be read is added to its problems as disk_io, what is not what the
/// hub cache calls it as corrupt_file (the state becomes corrupt). `read` hears of every piece read. Stops early at the
/// token. One thread; a FIFO or device is never opened.
DeepReport deepCheck(
    Checkpoint& checkpoint, const std::function<void(std::uint64_t pieceBytes)>& read, const std::stop_token& stop);

} // namespace loadlab
