#include "core/checkpoint/SafetensorsWriter.h"

#include "core/Text.h"
#include "core/Units.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kBlockBytes = std::uint64_t{8} << 20;

/// A file being written; closed and, unless told otherwise, left as it is.
class OutputFile {
public:
    explicit OutputFile(const fs::path& path)
        : m_path(path)
        , m_fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666))
    {
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }

    [[nodiscard]] Result<void> opened() const { return m_fd >= 0 ? Result<void>() : Result<void>(failed("create", 0)); }
    /// Finds a full disk before the time is spent; file systems that cannot say are believed.
    Result<void> reserve(std::uint64_t bytes)
    {
        if (::fallocate(m_fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) != 0
            && (errno == ENOSPC || errno == EDQUOT))
            return failed("write", bytes);
        return {};
    }
    Result<void> write(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const ssize_t written = ::write(m_fd, bytes.data(), bytes.size());
            if (written < 0 && errno != EINTR)
                return failed("write", bytes.size());
            if (written > 0)
                bytes.remove_prefix(static_cast<std::size_t>(written));
        }
        return {};
    }
    Result<void> close()
    {
        const int fd = std::exchange(m_fd, -1);
        return ::close(fd) == 0 ? Result<void>() : Result<void>(failed("write", 0));
    }

private:
    [[nodiscard]] Error failed(const char* doing, std::uint64_t bytes) const
    {
        const int number = errno;
        std::string message
            = std::string("cannot ") + doing + " '" + toUtf8(m_path.native()) + "': " + std::strerror(number);
        if (number == ENOSPC && bytes != 0)
            message += " (" + formatSize(bytes) + " wanted); make room or choose another disk";
        return {ErrorKind::Io, message};
    }

    fs::path m_path;
    int m_fd;
};

std::string headFor(const std::vector<TensorSpec>& tensors, const std::vector<std::uint64_t>& begins)
{
    nlohmann::ordered_json header{{"__metadata__", {{"format", "pt"}}}};
    for (std::size_t i = 0; i < tensors.size(); ++i)
        header[tensors[i].name] = {{"dtype", toHeaderName(tensors[i].dtype)}, {"shape", tensors[i].shape},
            {"data_offsets", {begins[i], begins[i] + tensors[i].sizeBytes()}}};
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::string head(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
        head[i] = static_cast<char>((text.size() >> (8 * i)) & 0xff);
    return head + text;
}

} // namespace

std::uint64_t TensorSpec::sizeBytes() const
{
    std::uint64_t elements = 1;
    for (const std::uint64_t extent : shape)
        elements *= extent;
    return (elements * bitsOf(dtype) + 7) / 8;
}

SafetensorsLayout layOutSafetensors(std::vector<TensorSpec> tensors)
{
    std::sort(tensors.begin(), tensors.end(), [](const TensorSpec& a, const TensorSpec& b) {
        return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
    });
    SafetensorsLayout layout;
    for (const TensorSpec& tensor : tensors) {
        layout.begins.push_back(layout.dataBytes);
        layout.dataBytes += tensor.sizeBytes();
    }
    layout.head = headFor(tensors, layout.begins);
    layout.tensors = std::move(tensors);
    return layout;
}

Result<void> writeSafetensors(const fs::path& file, const SafetensorsLayout& layout, const SafetensorsWriting& writing)
{
    OutputFile out(file);
    if (auto opened = out.opened(); !opened)
        return opened;
    std::uint64_t left = std::min(layout.fileBytes(), writing.cutAtBytes);
    if (auto reserved = out.reserve(left); !reserved)
        return reserved;
    const auto put = [&](std::string_view bytes) -> Result<void> {
        bytes = bytes.substr(0, left);
        left -= bytes.size();
        if (auto written = out.write(bytes); !written)
            return written;
        if (writing.wrote && !writing.wrote(bytes.size()))
            return Error{ErrorKind::Cancelled, "stopped while writing '" + toUtf8(file.native()) + "'"};
        return {};
    };
    if (auto head = put(layout.head); !head)
        return head;
    std::vector<std::byte> block(std::min(kBlockBytes, layout.dataBytes));
    for (const TensorSpec& tensor : layout.tensors)
        for (std::uint64_t offset = 0; offset < tensor.sizeBytes() && left > 0; offset += kBlockBytes) {
            const std::span<std::byte> piece(block.data(), std::min(kBlockBytes, tensor.sizeBytes() - offset));
            writing.fill(tensor, offset, piece);
            if (auto written = put({reinterpret_cast<const char*>(piece.data()), piece.size()}); !written)
                return written;
        }
    return out.close();
}

Result<void> writeFileBytes(const fs::path& file, std::string_view bytes)
{
    OutputFile out(file);
    if (auto opened = out.opened(); !opened)
        return opened;
    if (auto written = out.write(bytes); !written)
        return written;
    return out.close();
}

} // namespace loadlab
