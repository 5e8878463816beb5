#include "tests/plugins/TestWeights.h"

#include <fstream>
#include <nlohmann/json.hpp>

using nlohmann::json;
namespace fs = std::filesystem;

void writeTestWeights(const fs::path& file, const std::vector<TestTensor>& tensors, std::size_t padding)
{
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    std::string data;
    for (const TestTensor& tensor : tensors) {
        header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape},
            {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
        data += tensor.bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8 + padding, ' ');
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
        length[i] = static_cast<char>((text.size() >> (8 * i)) & 0xff);
    writeText(file, length + text + data);
}

void writeText(const fs::path& file, std::string_view text)
{
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

void writeSparseWeights(const fs::path& file, const std::string& dtype, std::uint64_t elements, std::uint64_t bytes)
{
    const json header{{"t", {{"dtype", dtype}, {"shape", {elements}}, {"data_offsets", {0, bytes}}}}};
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
        length[i] = static_cast<char>((text.size() >> (8 * i)) & 0xff);
    writeText(file, length + text);
    fs::resize_file(file, 8 + text.size() + bytes);
}
