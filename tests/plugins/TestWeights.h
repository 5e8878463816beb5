#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// One tensor with its bytes.
struct TestTensor {
    std::string name;
    std::string dtype; ///< As in the header.
    std::vector<std::uint64_t> shape;
    std::string bytes;
};

/// The bytes of numbers, as a tensor holds them.
template <typename T> std::string bytesOf(const std::vector<T>& values)
{
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// A safetensors file with these tensors in this order, by hand: `padding` spaces after the header decide its
/// alignment.
void writeTestWeights(
    const std::filesystem::path& file, const std::vector<TestTensor>& tensors, std::size_t padding = 0);
void writeText(const std::filesystem::path& file, std::string_view text);
/// A single file with a header and a hole of zeros: large, yet next to nothing on disk.
void writeSparseWeights(
    const std::filesystem::path& file, const std::string& dtype, std::uint64_t elements, std::uint64_t bytes);
