#include "db/FileMarks.h"

#include "db/Schema.h"

#include <fstream>
#include <string>

namespace loadlab {
namespace {

// Where what stands: https://www.sqlite.org/fileformat2.html
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kHeaderBytes = 100;
constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;

std::uint32_t numberAt(std::string_view bytes, std::size_t offset)
{
    std::uint32_t number = 0;
    for (const char byte : bytes.substr(offset, 4))
        number = number << 8 | static_cast<unsigned char>(byte);
    return number;
}

/// Fewer than asked at the end of the file.
std::string read(std::ifstream& in, std::size_t bytes)
{
    std::string read(bytes, '\0');
    in.read(read.data(), static_cast<std::streamsize>(bytes));
    read.resize(static_cast<std::size_t>(in.gcount()));
    return read;
}

} // namespace

bool FileMarks::areOurs() const
{
    return applicationId == schema::kApplicationId;
}

std::optional<FileMarks> marksInHeader(std::string_view bytes)
{
    if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic))
        return std::nullopt;
    const auto mark = [bytes](std::size_t offset) { return static_cast<std::int32_t>(numberAt(bytes, offset)); };
    return FileMarks{.applicationId = mark(68), .schema = mark(60)};
}

std::optional<FileMarks> marksInLog(const std::filesystem::path& file)
{
    std::filesystem::path beside = file;
    beside += "-wal";
    std::ifstream log(beside, std::ios::binary);
    const std::string header = read(log, kLogHeaderBytes);
    if (header.size() < kLogHeaderBytes || numberAt(header, 8) < kHeaderBytes)
        return std::nullopt;
    const auto generation = std::string_view(header).substr(16, 8); // frames of an older one may follow
    std::optional<FileMarks> marks;
    for (std::streamoff at = kLogHeaderBytes; log.seekg(at); at += kFrameHeaderBytes + numberAt(header, 8)) {
        const std::string frame = read(log, kFrameHeaderBytes);
        if (frame.size() < kFrameHeaderBytes || std::string_view(frame).substr(8, 8) != generation)
            break;
        if (numberAt(frame, 0) == 1)
            marks = marksInHeader(read(log, kHeaderBytes));
    }
    return marks;
}

} // namespace loadlab
