#pragma once

#include "core/Result.h"
#include "core/checkpoint/JsonFile.h"
#include "core/checkpoint/RegularFile.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace loadlab {

enum class TorchFileKind : std::uint8_t {
    TorchScript, ///< A zip with code/ in its listing: a program with its weights.
    Pickle, ///< torch.save: only unpickling could read it, and that runs what the file says.
    OtherFormat, ///< GGUF, HDF5 …: known, and nothing here reads it.
    Unknown
};

/// What a .pt, .pth, .bin or .ckpt file is, from its first bytes and its zip listing. Nothing is unpickled.
struct TorchFile {
    TorchFileKind kind = TorchFileKind::Unknown;
    std::string format; ///< Words: "TorchScript", "pickled weights", "GGUF" …
    std::optional<FileDefect> defect;
    std::uint64_t weightBytes = 0; ///< Of the archive's storages.
    /// Elements by dtype; known only where data.pkl names one storage type alone (its bytes are searched, not run).
    std::map<std::string, std::uint64_t> dtypes;
};

/// Errors: Io.
Result<TorchFile> examineTorchFile(const RegularFile& file);

} // namespace loadlab
