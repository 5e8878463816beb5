#include "core/checkpoint/RegularFile.h"

#include "core/Descriptor.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace loadlab {
namespace {

Error systemError(int code)
{
    const bool absent = code == ENOENT || code == ENOTDIR;
    return {absent ? ErrorKind::NotFound : ErrorKind::Io, std::generic_category().message(code)};
}

} // namespace

std::string_view wordsForKind(unsigned mode)
{
    switch (mode & S_IFMT) {
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
        return "a character device";
    case S_IFBLK:
        return "a block device";
    case S_IFDIR:
        return "a folder";
    default:
        return "no regular file";
    }
}

Result<RegularFile> RegularFile::open(const std::filesystem::path& file)
{
    const Descriptor place(::open(file.c_str(), O_PATH | O_CLOEXEC));
    if (place.get() < 0)
        return systemError(errno);
    struct stat status { };
    if (::fstat(place.get(), &status) != 0)
        return systemError(errno);
    if (!S_ISREG(status.st_mode))
        return Error{
            ErrorKind::Invalid, "is " + std::string(wordsForKind(status.st_mode)) + ", not a file; it was not opened"};
    // The same inode again, now for reading: nobody can put a FIFO in its place between look and open.
    const std::string same = "/proc/self/fd/" + std::to_string(place.get());
    int descriptor = ::open(same.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) // no /proc
        descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0)
        return systemError(errno);
    return RegularFile(descriptor, static_cast<std::uint64_t>(status.st_size));
}

RegularFile::RegularFile(RegularFile&& other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1))
    , m_sizeBytes(other.m_sizeBytes)
{
}

RegularFile& RegularFile::operator=(RegularFile&& other) noexcept
{
    std::swap(m_descriptor, other.m_descriptor);
    std::swap(m_sizeBytes, other.m_sizeBytes);
    return *this;
}

RegularFile::~RegularFile()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

Result<std::size_t> RegularFile::read(std::uint64_t offset, std::span<char> into) const
{
    constexpr std::uint64_t beyondAnyFile = std::uint64_t{1} << 62; // an offset that a broken file named
    std::size_t got = 0;
    while (offset < beyondAnyFile && got < into.size()) {
        const ssize_t n = ::pread(m_descriptor, into.data() + got, into.size() - got, static_cast<off_t>(offset + got));
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return systemError(errno).in("read at byte " + std::to_string(offset + got));
        if (n > 0)
            got += static_cast<std::size_t>(n);
    }
    return got;
}

Result<std::string> RegularFile::readHead(std::size_t limit) const
{
    std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(limit, m_sizeBytes)), '\0');
    const Result<std::size_t> got = read(0, text);
    if (!got)
        return got.error();
    text.resize(*got);
    return text;
}

} // namespace loadlab
