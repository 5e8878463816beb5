#pragma once

#include "core/FailureMode.h"
#include "core/Result.h"
#include "core/checkpoint/Family.h"
#include "core/checkpoint/SafetensorsHeader.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace loadlab {

/// The first that applies (docs/CLI.md, "inspect").
enum class CheckpointState : std::uint8_t { Empty, Pointer, Corrupt, Incomplete, Unsupported, Complete };
std::string_view toWireName(CheckpointState state);

/// A defect. What the format allows is never one.
struct Problem {
    FailureMode mode = FailureMode::Unknown;
    std::string file; ///< Relative to the checkpoint, UTF-8; empty: the checkpoint as a whole.
    std::string text;
};

struct Component {
    std::string name; ///< "experts", "vision" …, as the family file says.
    std::string title; ///< Words: "Experts, thinker".
    std::uint64_t tensors = 0;
    std::uint64_t parameters = 0;
    std::uint64_t sizeBytes = 0;
};

struct CheckpointFile {
    std::string name; ///< Relative to the checkpoint, UTF-8.
    std::uint64_t sizeBytes = 0; ///< 0 when absent.
    std::string role; ///< "weights", "index", "config", "generation_config", "tokenizer", "code", "other"
    std::string check; ///< "header and size ok", "absent", "pointer", "cut short", …: words for the table.
    bool present = true;
};

/// How the weights are quantized, by config and by tensor names (MODEL_FACTS 4.1, 4.2).
struct Quantization {
    std::string method; ///< quant_method, or what the suffixes say; never empty.
    std::string format; ///< e.g. "pack-quantized"; may be empty.
    std::optional<int> bits;
    std::optional<int> groupSize;
    bool packed = false; ///< Weights are integers that hold several values or need scales: no conversion, no floats.
};

struct Estimate {
    std::string backend;
    std::string dtype;
    std::string deviceMap;
    std::uint64_t peakBytes = 0;
    std::uint64_t steadyBytes = 0;
};

/// A tensor with the file that holds it.
struct TensorPlace {
    std::size_t file = 0; ///< Index into Checkpoint::weightFiles.
    std::size_t tensor = 0; ///< Index into that file's header.
};

/// What a checkpoint is, from headers alone. Nothing in it was executed or unpickled. Immutable snapshot.
struct Checkpoint {
    std::filesystem::path path; ///< As given, absolute: the bytes to open.
    std::string name; ///< "org/name" for the hub cache, else the folder's or file's name; UTF-8.
    std::string family; ///< Empty: unknown.
    std::string familyTitle;
    std::string architecture; ///< architectures[0] of config.json; may be empty.
    std::string modelType;
    std::string fingerprint; ///< SHA-256 over all weight headers, sizes and config.json; empty when there are no weights.
    std::uint64_t parameters = 0; ///< Elements of every stored tensor once.
    std::uint64_t weightBytes = 0; ///< Tensor bytes.
    std::uint64_t tensorCount = 0;
    std::uint32_t shardsPresent = 0;
    std::uint32_t shardsExpected = 0;
    std::vector<Component> components; ///< Largest first.
    std::map<std::string, std::uint64_t> dtypes; ///< Header name → elements.
    std::optional<Quantization> quantization;
    std::vector<CheckpointFile> files;
    CheckpointState state = CheckpointState::Empty;
    std::vector<Problem> problems;
    std::vector<std::string> notes;
    std::vector<Estimate> estimates;
    bool isTorchScript = false; ///< A zip with code/ in its listing.
    bool isPickle = false; ///< .bin / .pt weights that only unpickling could read.
    std::string configDtype; ///< dtype or torch_dtype of config.json; may be empty.

    /// For loaders: the weight files with their headers, in index order. Shared, immutable.
    struct WeightFile {
        std::filesystem::path path;
        std::string name;
        std::shared_ptr<const SafetensorsHeader> header;
    };
    std::vector<WeightFile> weightFiles;
    std::shared_ptr<const nlohmann::json> config; ///< Null when absent or broken.
};

struct InspectOptions {
    /// Sample the tails of weight files for runs of zeros that interrupted downloads leave (a few reads per file).
    bool sampleTails = true;
    unsigned threads = 0; ///< For reading shards; 0: as many as pay (at most 4).
    std::stop_token stop;
};

/// Any thread. Errors: NotFound (no such path; the message names it), Io (permission …), Cancelled.
/// A FIFO, socket or device is never opened. Takes a folder, a .safetensors / .pt / .bin file, a hub-cache repo folder
/// (models--org--name → its refs/main snapshot) or a snapshot folder.
Result<Checkpoint> inspectCheckpoint(
    const std::filesystem::path& path, const FamilyCatalog& families, const InspectOptions& options = {});

/// `inspect --json` of docs/CLI.md.
nlohmann::json toJson(const Checkpoint& checkpoint);

} // namespace loadlab
