#include "core/checkpoint/DemoZoo.h"

#include "core/Digest.h"
#include "core/Text.h"
#include "core/checkpoint/DemoModel.h"
#include "core/checkpoint/RegularFile.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unistd.h>

namespace loadlab {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::uint64_t kBrokenBytes = std::uint64_t{40} << 20;
constexpr int kShards = 3;
constexpr int kAbsentShard = 1;
/// In every folder made here: what it was made from. Tells our own folders from others.
constexpr const char* kMark = ".loadlab-demo.json";

/// A file that is weights, described rather than made.
struct WeightsToWrite {
    std::string name;
    SafetensorsLayout layout;
    std::uint64_t bytes = 0; ///< Less than the layout's for one that breaks off.
};

struct CheckpointToWrite {
    std::string name;
    DemoShape shape;
    std::vector<WeightsToWrite> weights;
    std::vector<std::pair<std::string, std::string>> texts; ///< Name and content.

    [[nodiscard]] std::uint64_t bytes() const
    {
        std::uint64_t sum = 0;
        for (const WeightsToWrite& file : weights)
            sum += file.bytes;
        return sum;
    }
};

CheckpointToWrite begun(std::string name, const DemoShape& shape, const json& config)
{
    return {std::move(name), shape, {},
        {{"config.json", config.dump(2) + "\n"},
            {"generation_config.json", DemoShape::generationConfig().dump(2) + "\n"}}};
}

void addWeights(CheckpointToWrite& checkpoint, std::string name, std::vector<TensorSpec> tensors)
{
    SafetensorsLayout layout = layOutSafetensors(std::move(tensors));
    const std::uint64_t bytes = layout.fileBytes();
    checkpoint.weights.push_back({std::move(name), std::move(layout), bytes});
}

CheckpointToWrite good(const DemoShape& shape)
{
    CheckpointToWrite checkpoint = begun("qwen2.5-0.5b-standin", shape, shape.config());
    addWeights(checkpoint, "model.safetensors", shape.tensors());
    return checkpoint;
}

CheckpointToWrite truncated(const DemoShape& shape)
{
    CheckpointToWrite checkpoint = begun("qwen2.5-0.5b-truncated", shape, shape.config());
    addWeights(checkpoint, "model.safetensors", shape.tensors());
    checkpoint.weights.back().bytes = checkpoint.weights.back().bytes / 5 * 3;
    return checkpoint;
}

std::string shardName(int number)
{
    return "model-0000" + std::to_string(number + 1) + "-of-0000" + std::to_string(kShards) + ".safetensors";
}

CheckpointToWrite missingShard(const DemoShape& shape)
{
    CheckpointToWrite checkpoint = begun("qwen2.5-0.5b-missing-shard", shape, shape.config());
    std::vector<TensorSpec> shards[kShards];
    json weightMap;
    const std::vector<TensorSpec> tensors = shape.tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const auto shard = static_cast<int>(i * kShards / tensors.size());
        shards[shard].push_back(tensors[i]);
        weightMap[tensors[i].name] = shardName(shard);
    }
    for (int shard = 0; shard < kShards; ++shard)
        if (shard != kAbsentShard)
            addWeights(checkpoint, shardName(shard), std::move(shards[shard]));
    const json index{{"metadata", {{"total_size", shape.weightBytes()}}}, {"weight_map", weightMap}};
    checkpoint.texts.emplace_back("model.safetensors.index.json", index.dump(2) + "\n");
    return checkpoint;
}

CheckpointToWrite lfsPointer(const DemoShape& shape)
{
    CheckpointToWrite checkpoint = begun("qwen2.5-0.5b-lfs-pointer", shape, shape.config());
    const std::uint64_t size = layOutSafetensors(shape.tensors()).fileBytes();
    checkpoint.texts.emplace_back("model.safetensors",
        "version https://git-lfs.github.com/spec/v1\noid sha256:" + sha256Hex("LoadLab demo weights") + "\nsize "
            + std::to_string(size) + "\n");
    return checkpoint;
}

CheckpointToWrite dtypeConflict(const DemoShape& shape)
{
    CheckpointToWrite checkpoint = begun("qwen2.5-0.5b-dtype-conflict", shape, shape.packedConfig());
    addWeights(checkpoint, "model.safetensors", shape.packedTensors());
    return checkpoint;
}

std::optional<std::string> textOf(const fs::path& path)
{
    const auto file = RegularFile::open(path);
    auto text = file ? file->readHead(std::size_t{1} << 20) : Result<std::string>(file.error());
    return text ? std::optional(std::move(*text)) : std::nullopt;
}

/// Has every file with the size, and every text with the content, that it would be given.
bool isWhole(const fs::path& folder, const CheckpointToWrite& checkpoint, const std::string& mark)
{
    if (textOf(folder / kMark) != mark)
        return false;
    std::error_code error;
    for (const WeightsToWrite& file : checkpoint.weights)
        if (fs::file_size(folder / file.name, error) != file.bytes || error)
            return false;
    return std::all_of(checkpoint.texts.begin(), checkpoint.texts.end(),
        [&](const auto& text) { return textOf(folder / text.first) == text.second; });
}

Error ioError(const std::string& doing, const fs::path& path, const std::error_code& code)
{
    return {ErrorKind::Io, "cannot " + doing + " '" + toUtf8(path.native()) + "': " + code.message()};
}

/// A folder beside its final place; gone again unless it was put there.
class Scaffold {
public:
    explicit Scaffold(fs::path place)
        : m_place(std::move(place))
        , m_path(m_place.parent_path() / ("." + m_place.filename().string() + ".part-" + std::to_string(::getpid())))
    {
    }
    Scaffold(const Scaffold&) = delete;
    Scaffold& operator=(const Scaffold&) = delete;
    ~Scaffold()
    {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }
    [[nodiscard]] const fs::path& path() const { return m_path; }

    Result<void> open() const
    {
        std::error_code error;
        fs::remove_all(m_path, error);
        if (!fs::create_directories(m_path, error) || error)
            return ioError("create folder", m_path, error);
        return {};
    }
    /// Takes the place of an older one.
    Result<void> putInPlace() const
    {
        std::error_code error;
        fs::remove_all(m_place, error);
        fs::rename(m_path, m_place, error);
        return error ? Result<void>(ioError("rename", m_path, error)) : Result<void>();
    }

private:
    fs::path m_place;
    fs::path m_path;
};

class ZooWriter {
public:
    ZooWriter(fs::path folder, const DemoZooOptions& options,
        const std::function<void(const DemoZooProgress&)>& progress, std::stop_token stop)
        : m_folder(std::move(folder))
        , m_options(options)
        , m_report(progress)
        , m_stop(std::move(stop))
    {
    }

    Result<std::vector<fs::path>> write(const std::vector<CheckpointToWrite>& checkpoints)
    {
        for (const CheckpointToWrite& checkpoint : checkpoints)
            m_progress.totalBytes += checkpoint.bytes();
        std::vector<fs::path> made;
        for (const CheckpointToWrite& checkpoint : checkpoints) {
            m_progress.checkpoint = checkpoint.name;
            if (auto written = writeOrKeep(checkpoint); !written)
                return written.error();
            made.push_back(m_folder / checkpoint.name);
        }
        return made;
    }

private:
    Result<void> writeOrKeep(const CheckpointToWrite& checkpoint);
    Result<void> writeInto(const fs::path& folder, const CheckpointToWrite& checkpoint, const std::string& mark);
    bool advance(std::uint64_t bytes)
    {
        m_progress.doneBytes += bytes;
        if (m_report)
            m_report(m_progress);
        return !m_stop.stop_requested();
    }
    /// What a checkpoint was made from: another seed, size or version of this file makes another one.
    [[nodiscard]] std::string markOf(const CheckpointToWrite& checkpoint) const
    {
        return json{{"made_by", "loadlab demo-zoo"}, {"version", 1}, {"seed", m_options.seed},
                   {"name", checkpoint.name}, {"weight_bytes", checkpoint.shape.weightBytes()}}
                   .dump()
            + "\n";
    }

    fs::path m_folder;
    const DemoZooOptions& m_options;
    const std::function<void(const DemoZooProgress&)>& m_report;
    std::stop_token m_stop;
    DemoZooProgress m_progress;
};

Result<void> ZooWriter::writeOrKeep(const CheckpointToWrite& checkpoint)
{
    const fs::path place = m_folder / checkpoint.name;
    const std::string mark = markOf(checkpoint);
    std::error_code error;
    if (fs::symlink_status(place, error).type() != fs::file_type::not_found) {
        if (isWhole(place, checkpoint, mark)) {
            advance(checkpoint.bytes());
            return {};
        }
        if (!textOf(place / kMark))
            return Error{ErrorKind::Invalid,
                "'" + toUtf8(place.native())
                    + "' is already there and was not made by demo-zoo; choose another folder"};
    }
    const Scaffold scaffold(place);
    if (auto opened = scaffold.open(); !opened)
        return opened;
    if (auto written = writeInto(scaffold.path(), checkpoint, mark); !written)
        return written;
    return scaffold.putInPlace();
}

Result<void> ZooWriter::writeInto(const fs::path& folder, const CheckpointToWrite& checkpoint, const std::string& mark)
{
    for (const auto& [name, text] : checkpoint.texts)
        if (auto written = writeFileBytes(folder / name, text); !written)
            return written;
    const DemoValues values(m_options.seed, checkpoint.shape);
    SafetensorsWriting writing;
    writing.fill = [&](const TensorSpec& tensor, std::uint64_t offset, std::span<std::byte> into) {
        values.fill(tensor, offset, into);
    };
    writing.wrote = [this](std::uint64_t bytes) { return advance(bytes); };
    for (const WeightsToWrite& file : checkpoint.weights) {
        writing.cutAtBytes = file.bytes;
        if (auto written = writeSafetensors(folder / file.name, file.layout, writing); !written)
            return written;
    }
    return writeFileBytes(folder / kMark, mark);
}

} // namespace

Result<std::vector<fs::path>> makeDemoZoo(const fs::path& folder, const DemoZooOptions& options,
    const std::function<void(const DemoZooProgress&)>& progress, std::stop_token stop)
{
    const DemoShape shape = DemoShape::within(options.goodSizeBytes);
    const DemoShape small = DemoShape::within(std::min(options.goodSizeBytes, kBrokenBytes));
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        return ioError("create folder", folder, error);
    return ZooWriter(folder, options, progress, std::move(stop))
        .write({good(shape), truncated(small), missingShard(small), lfsPointer(small), dtypeConflict(small)});
}

} // namespace loadlab
