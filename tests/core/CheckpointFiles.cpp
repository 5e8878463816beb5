#include "CheckpointFiles.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace loadlab::test {
namespace fs = std::filesystem;
namespace {

void writeFile(const fs::path& file, std::string_view head, std::uint64_t dataBytes, Fill fill)
{
    if (file.has_parent_path())
        fs::create_directories(file.parent_path());
    fs::remove(file);
    {
        std::ofstream out(file, std::ios::binary);
        out.write(head.data(), static_cast<std::streamsize>(head.size()));
        std::string block(65536, '\0');
        for (std::size_t i = 0; i < block.size(); ++i)
            block[i] = static_cast<char>(i % 251 + 1);
        for (std::uint64_t left = fill == Fill::Pattern ? dataBytes : 0; left > 0;) {
            const std::uint64_t now = std::min<std::uint64_t>(left, block.size());
            out.write(block.data(), static_cast<std::streamsize>(now));
            left -= now;
        }
        if (!out)
            throw std::runtime_error("cannot write " + file.string());
    }
    fs::resize_file(file, head.size() + dataBytes);
}

} // namespace

void writeText(const fs::path& file, std::string_view text)
{
    writeFile(file, text, 0, Fill::Sparse);
}

void writeRaw(const fs::path& file, std::string_view header, std::uint64_t dataBytes, Fill fill)
{
    std::string head;
    for (unsigned i = 0; i < 8; ++i)
        head.push_back(static_cast<char>((static_cast<std::uint64_t>(header.size()) >> (8 * i)) & 0xFF));
    head += header;
    writeFile(file, head, dataBytes, fill);
}

std::string headerText(const std::vector<TensorSpec>& tensors, std::uint64_t* dataBytes)
{
    std::uint64_t at = 0;
    std::string text = R"({"__metadata__":{"format":"pt"})";
    for (const TensorSpec& tensor : tensors) {
        std::uint64_t bits = bitsOf(findDtype(tensor.dtype).value());
        for (const std::uint64_t dimension : tensor.shape)
            bits *= dimension;
        text += "," + nlohmann::json(tensor.name).dump() + R"(:{"dtype":")" + tensor.dtype + R"(","shape":)"
            + nlohmann::json(tensor.shape).dump() + R"(,"data_offsets":[)" + std::to_string(at) + ","
            + std::to_string(at + bits / 8) + "]}";
        at += bits / 8;
    }
    text += "}";
    text.append((8 - text.size() % 8) % 8, ' ');
    if (dataBytes != nullptr)
        *dataBytes = at;
    return text;
}

std::uint64_t writeSafetensors(const fs::path& file, const std::vector<TensorSpec>& tensors, Fill fill)
{
    std::uint64_t dataBytes = 0;
    const std::string text = headerText(tensors, &dataBytes);
    writeRaw(file, text, dataBytes, fill);
    return dataBytes;
}

void writeStandIn(const fs::path& folder, const FamilyCatalog& catalog, const nlohmann::json& config,
    std::size_t shards, Fill fill, const std::string& dtype)
{
    const Family* family = catalog.findByModelType(config.at("model_type").get<std::string>());
    const Result<std::vector<ExpectedTensor>> expected = family->expectedTensors(config);
    std::vector<std::vector<TensorSpec>> files(shards);
    for (std::size_t i = 0; i < expected->size(); ++i)
        if (!(*expected)[i].optional)
            files[i * shards / expected->size()].push_back({(*expected)[i].name, dtype, (*expected)[i].shape});
    nlohmann::json index;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < shards; ++i) {
        std::array<char, 64> name{};
        std::snprintf(name.data(), name.size(), "model-%05zu-of-%05zu.safetensors", i + 1, shards);
        const std::string file = shards == 1 ? "model.safetensors" : name.data();
        total += writeSafetensors(folder / file, files[i], fill);
        for (const TensorSpec& tensor : files[i])
            index["weight_map"][tensor.name] = file;
    }
    index["metadata"]["total_size"] = total;
    if (shards > 1)
        writeText(folder / "model.safetensors.index.json", index.dump());
    writeText(folder / "config.json", config.dump(2));
}

Scratch::Scratch()
{
    std::string name = (fs::temp_directory_path() / "loadlab-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("no temporary folder");
    m_path = name;
}

Scratch::~Scratch()
{
    std::error_code ignored;
    fs::remove_all(m_path, ignored);
}

} // namespace loadlab::test
