#include "Checkpoints.h"

#include <filesystem>

using namespace loadlab;

namespace made {

Checkpoint checkpoint(const std::string& path, std::uint64_t bytes)
{
    Checkpoint one;
    one.path = path;
    one.name = one.path.filename().native();
    one.family = "qwen2";
    one.familyTitle = "Qwen2.5";
    one.architecture = "Qwen2ForCausalLM";
    one.parameters = bytes / 2;
    one.weightBytes = bytes;
    one.tensorCount = 290;
    one.shardsPresent = one.shardsExpected = 1;
    one.dtypes = {{"BF16", bytes / 2}};
    one.components
        = {{"layers", "Layers", 200, bytes / 3, bytes / 3 * 2}, {"embeddings", "Embeddings", 1, bytes / 6, bytes / 3}};
    one.files = {{"model.safetensors", bytes, "weights", "header and size ok", true},
        {"config.json", 700, "config", "readable", true}};
    one.state = CheckpointState::Complete;
    one.estimates
        = {{"libtorch", "auto", "cpu", bytes / 50, bytes / 50}, {"libtorch", "float32", "cpu", 2 * bytes, 2 * bytes}};
    return one;
}

Checkpoint packedCheckpoint(const std::string& path)
{
    Checkpoint one = checkpoint(path);
    one.dtypes = {{"I32", kGiB / 4}, {"BF16", 1000}};
    one.quantization = Quantization{"compressed-tensors", "pack-quantized", 8, 128, true};
    return one;
}

Checkpoint incompleteCheckpoint(const std::string& path)
{
    Checkpoint one = checkpoint(path);
    one.state = CheckpointState::Incomplete;
    one.shardsExpected = 2;
    one.files.push_back({"model-00002-of-00002.safetensors", 0, "weights", "absent", false});
    one.problems = {
        {FailureMode::IncompleteDownload, "model-00002-of-00002.safetensors", "the index names it, it is not there"}};
    return one;
}

std::shared_ptr<const Checkpoint> shared(Checkpoint checkpoint)
{
    return std::make_shared<const Checkpoint>(std::move(checkpoint));
}

PluginEntry plugin()
{
    PluginManifest manifest;
    manifest.name = "libtorch";
    manifest.title = "libtorch (C++)";
    manifest.protocol = 1;
    manifest.program = "/bin/true";
    manifest.dtypes = {{"auto", {}, {}}, {"float16", {"fp16"}, {}}, {"float32", {}, {}}};
    manifest.deviceMaps = {{"cpu", {}, {}}, {"auto", {}, {}}, {"cuda", {}, {}}, {"cuda:N", {}, {}}};
    manifest.takesJsonDeviceMap = true;
    manifest.takesMaxMemory = true;
    manifest.options = {
        {"packed_weights", OptionType::Choice, "Packed integer weights", "", "refuse", {"refuse", "keep"}},
        {"allow_torchscript", OptionType::Bool, "Run TorchScript files", "A TorchScript file is a program.", "false",
            {}},
        {"threads", OptionType::Int, "Threads", "", "4", {}},
        {"share", OptionType::Number, "Share", "", "0.5", {}},
        {"note", OptionType::Text, "Note", "", "", {}},
    };
    PluginEntry entry;
    entry.name = manifest.name;
    entry.manifest = manifest;
    return entry;
}

} // namespace made
