#include "core/checkpoint/TensorReader.h"

#include "core/Text.h"
#include "core/checkpoint/MappedFaultGuard.h"
#include "core/checkpoint/RegularFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace loadlab {
namespace fs = std::filesystem;
namespace {

std::string quoted(const fs::path& file)
{
    return "'" + toUtf8(file.native()) + "'";
}

Error systemError(const fs::path& file, const std::string& doing, int number)
{
    return {ErrorKind::Io, "cannot " + doing + " " + quoted(file) + ": " + std::strerror(number)};
}

struct OpenFile {
    fs::path path;
    RegularFile file;
};

Result<OpenFile> openRegular(const fs::path& path)
{
    auto file = RegularFile::open(path);
    if (!file)
        return std::move(file).error().in("cannot open " + quoted(path));
    ::posix_fadvise(file->descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return OpenFile{path, std::move(*file)};
}

/// What both readers share: the open file, and whether it is still whole.
class FileReader : public TensorReader {
public:
    explicit FileReader(OpenFile open)
        : m_path(std::move(open.path))
        , m_file(std::move(open.file))
        , m_bytes(m_file.sizeBytes())
    {
    }

    [[nodiscard]] std::uint64_t fileBytes() const override { return m_bytes; }
    [[nodiscard]] Result<void> check() const override
    {
        struct stat now { };
        if (::fstat(m_file.descriptor(), &now) != 0)
            return systemError(m_path, "look at", errno);
        const auto bytes = static_cast<std::uint64_t>(now.st_size);
        return bytes < m_bytes ? Result<void>(shrunk(bytes)) : Result<void>();
    }

protected:
    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t length) const
    {
        return offset <= m_bytes && length <= m_bytes - offset;
    }
    [[nodiscard]] Error shrunk(std::uint64_t bytesNow) const
    {
        return {ErrorKind::Invalid,
            quoted(m_path) + " shrank while it was read: " + std::to_string(bytesNow) + " bytes now, "
                + std::to_string(m_bytes) + " when it was opened; something writes to it"};
    }
    [[nodiscard]] Error outside(std::uint64_t offset, std::uint64_t length) const
    {
        return {ErrorKind::Invalid,
            quoted(m_path) + " has " + std::to_string(m_bytes) + " bytes, too few for " + std::to_string(length)
                + " bytes at " + std::to_string(offset)};
    }
    [[nodiscard]] Error unreadable(std::uint64_t offset) const
    {
        return {ErrorKind::Io,
            "cannot read " + quoted(m_path) + " at byte " + std::to_string(offset)
                + ": the disk or file system did not deliver the page"};
    }
    fs::path m_path;
    RegularFile m_file;
    std::uint64_t m_bytes;
};

class ReadingReader final : public FileReader {
public:
    using FileReader::FileReader;

    Result<void> read(std::uint64_t offset, std::span<std::byte> into) override
    {
        if (!holds(offset, into.size()))
            return outside(offset, into.size());
        while (!into.empty()) {
            const ssize_t got = ::pread(m_file.descriptor(), into.data(), into.size(), static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return systemError(m_path, "read", errno);
            if (got == 0) {
                const auto whole = check();
                return whole ? Result<void>(shrunk(offset)) : whole; // Grown again since: it had ended here.
            }
            into = into.subspan(static_cast<std::size_t>(got));
            offset += static_cast<std::uint64_t>(got);
        }
        return {};
    }
    [[nodiscard]] std::span<const std::byte> view(std::uint64_t, std::uint64_t) const override { return {}; }
    Result<void> touch(std::uint64_t, std::uint64_t) override { return {}; }
    void expect(std::uint64_t offset, std::uint64_t length) override
    {
        ::posix_fadvise(
            m_file.descriptor(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_WILLNEED);
    }
    void release(std::uint64_t, std::uint64_t) override { }
};

class Mapping {
public:
    Mapping(std::byte* base, std::size_t bytes)
        : m_base(base)
        , m_bytes(bytes)
    {
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() { ::munmap(m_base, m_bytes); }

private:
    std::byte* m_base;
    std::size_t m_bytes;
};

class MappedReader final : public FileReader {
public:
    MappedReader(OpenFile file, std::byte* base)
        : FileReader(std::move(file))
        , m_base(base)
        , m_mapping(base, m_bytes)
        , m_guard(base, m_bytes)
        , m_pageBytes(pageBytes())
    {
    }

    [[nodiscard]] bool isGuarded() const { return m_guard.watches(); }

    Result<void> read(std::uint64_t offset, std::span<std::byte> into) override
    {
        if (!holds(offset, into.size()))
            return outside(offset, into.size());
        if (!into.empty())
            std::memcpy(into.data(), m_base + offset, into.size());
        return faults();
    }
    [[nodiscard]] std::span<const std::byte> view(std::uint64_t offset, std::uint64_t length) const override
    {
        return holds(offset, length) ? std::span<const std::byte>(m_base + offset, length)
                                     : std::span<const std::byte>();
    }
    Result<void> touch(std::uint64_t offset, std::uint64_t length) override
    {
        if (!holds(offset, length))
            return outside(offset, length);
        const Range pages = around(offset, length);
        if (pages.length == 0)
            return {};
        int outcome = 0;
        do {
            outcome = ::madvise(m_base + pages.begin, pages.length, MADV_POPULATE_READ);
        } while (outcome != 0 && (errno == EINTR || errno == EAGAIN));
        if (outcome != 0 && errno == ENOMEM)
            return systemError(m_path, "map the pages of", ENOMEM);
        // EINVAL: a kernel before 5.14. Whatever else it was, touching finds the page that cannot be had.
        if (outcome != 0)
            touchEachPage(pages.begin, pages.length);
        return faults();
    }
    void expect(std::uint64_t offset, std::uint64_t length) override
    {
        if (const Range pages = around(offset, length); holds(offset, length) && pages.length != 0)
            ::madvise(m_base + pages.begin, pages.length, MADV_WILLNEED);
    }
    void release(std::uint64_t offset, std::uint64_t length) override
    {
        // Not posix_madvise, whose DONTNEED glibc ignores. A neighbour's half page comes back from the page cache.
        if (const Range pages = around(offset, length); holds(offset, length) && pages.length != 0)
            ::madvise(m_base + pages.begin, pages.length, MADV_DONTNEED);
    }
    [[nodiscard]] Result<void> check() const override
    {
        if (auto whole = FileReader::check(); !whole)
            return whole;
        return faults();
    }

private:
    struct Range {
        std::uint64_t begin = 0;
        std::uint64_t length = 0;
    };
    static std::uint64_t pageBytes() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

    /// The whole pages that hold a range. Empty for an empty range.
    [[nodiscard]] Range around(std::uint64_t offset, std::uint64_t length) const
    {
        const std::uint64_t begin = offset / m_pageBytes * m_pageBytes;
        return {begin, length == 0 ? 0 : offset + length - begin};
    }
    void touchEachPage(std::uint64_t begin, std::uint64_t length) const
    {
        const volatile std::byte* const bytes = m_base;
        for (std::uint64_t at = begin; at < begin + length; at += m_pageBytes)
            static_cast<void>(bytes[at]);
    }
    [[nodiscard]] Result<void> faults() const
    {
        const auto fault = m_guard.firstFault();
        if (!fault)
            return {};
        if (auto whole = FileReader::check(); !whole)
            return whole;
        return unreadable(*fault);
    }

    std::byte* m_base;
    Mapping m_mapping;
    MappedFaultGuard m_guard; ///< Goes before the mapping does.
    std::uint64_t m_pageBytes;
};

} // namespace

Result<std::unique_ptr<TensorReader>> openReadingReader(const fs::path& file)
{
    return openRegular(file).transform([](OpenFile&& open) -> std::unique_ptr<TensorReader> {
        return std::make_unique<ReadingReader>(std::move(open));
    });
}

Result<std::unique_ptr<TensorReader>> openMappedReader(const fs::path& file)
{
    auto open = openRegular(file);
    if (!open)
        return std::move(open).error();
    if (open->file.sizeBytes() == 0) // Nothing to map, nothing to view.
        return std::unique_ptr<TensorReader>(std::make_unique<ReadingReader>(std::move(*open)));
    void* const base = ::mmap(nullptr, open->file.sizeBytes(), PROT_READ, MAP_PRIVATE, open->file.descriptor(), 0);
    if (base == MAP_FAILED)
        return systemError(file, "map", errno);
    auto reader = std::make_unique<MappedReader>(std::move(*open), static_cast<std::byte*>(base));
    if (!reader->isGuarded())
        return Error{ErrorKind::Io, "cannot map " + quoted(file) + ": too many mapped files at once"};
    return std::unique_ptr<TensorReader>(std::move(reader));
}

} // namespace loadlab
