#include "core/telemetry/ProcFile.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace loadlab {

ProcFile::ProcFile(const char* path)
    : m_fd(::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK))
{
}

std::optional<std::string_view> ProcFile::read(std::span<char> buffer, std::size_t offset) const
{
    ssize_t got = -1;
    do
        got = ::pread(m_fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return std::nullopt;
    return std::string_view(buffer.data(), static_cast<std::size_t>(got));
}

void ProcFile::close()
{
    if (m_fd >= 0)
        ::close(m_fd);
    m_fd = -1;
}

std::string readSmallFile(const std::string& path, std::size_t maxBytes)
{
    constexpr std::size_t kFirst = 4096;
    std::string text;
    const ProcFile file(path.c_str());
    std::size_t size = 0;
    // Many files of /proc hand out one page per read.
    for (std::optional<std::string_view> got; size < maxBytes; size += got->size()) {
        if (size == text.size())
            text.resize(std::min(maxBytes, std::max(kFirst, size * 2)));
        got = file.read(std::span(text).subspan(size), size);
        if (!got || got->empty())
            break;
    }
    text.resize(size);
    // Strings of the device tree end in a zero byte.
    while (!text.empty() && (text.back() == '\n' || text.back() == '\0'))
        text.pop_back();
    return text;
}

namespace procfs {

std::optional<std::uint64_t> takeNumber(std::string_view& text)
{
    std::size_t i = 0;
    while (i < text.size() && (text[i] == ' ' || text[i] == '\t'))
        ++i;
    const auto first = i;
    std::uint64_t value = 0;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
        value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
    if (i == first)
        return std::nullopt;
    text.remove_prefix(i);
    return value;
}

std::optional<std::uint64_t> numberAfter(std::string_view text, std::string_view key)
{
    for (std::size_t at = 0; at < text.size();) {
        auto line = text.substr(at, text.find('\n', at) - at);
        at += line.size() + 1;
        if (line.substr(0, key.size()) != key)
            continue;
        line.remove_prefix(key.size());
        return takeNumber(line);
    }
    return std::nullopt;
}

} // namespace procfs
} // namespace loadlab
