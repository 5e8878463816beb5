#include "core/telemetry/OpenFiles.h"

#include "core/telemetry/ProcFile.h"
#include "core/telemetry/ProcessReader.h"

#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace loadlab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostDescriptors = 4096;

/// fdinfo has the flags of open(2), in octal.
OpenFile::Access accessOf(std::string_view info)
{
    constexpr std::string_view key = "flags:\t";
    const auto at = info.find(key);
    int flags = 0;
    if (at == info.npos
        || std::from_chars(info.data() + at + key.size(), info.data() + info.size(), flags, 8).ec != std::errc{})
        return OpenFile::Access::Other;
    if ((flags & O_ACCMODE) == O_RDONLY)
        return OpenFile::Access::ReadOnly;
    return (flags & O_ACCMODE) == O_RDWR && (flags & O_APPEND) == 0 ? OpenFile::Access::ReadWrite
                                                                    : OpenFile::Access::Other;
}

std::optional<OpenFile> openFile(const std::string& root, const fs::path& descriptor)
{
    std::error_code ignored;
    const fs::path target = fs::read_symlink(descriptor, ignored);
    if (ignored || target.native().starts_with("/proc/") || target.native().starts_with("/sys/"))
        return std::nullopt;
    const auto known = knownFile(descriptor);
    if (!known)
        return std::nullopt;
    const std::string number = descriptor.filename().string();
    const auto info = readSmallFile(root + "/fdinfo/" + number, 4096);
    return OpenFile{
        target, *known, std::atoi(number.c_str()), procfs::numberAfter(info, "pos:").value_or(0), accessOf(info)};
}

std::int64_t nanoseconds(const struct statx_timestamp& time)
{
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

} // namespace

std::optional<KnownFile> knownFile(const fs::path& file)
{
    struct statx status { };
    constexpr unsigned wanted = STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_BTIME;
    if (::statx(AT_FDCWD, file.c_str(), AT_STATX_DONT_SYNC, wanted, &status) != 0 || !S_ISREG(status.stx_mode))
        return std::nullopt;
    return KnownFile{{::makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino}, status.stx_size,
        nanoseconds(status.stx_mtime), (status.stx_mask & STATX_BTIME) != 0 ? nanoseconds(status.stx_btime) : 0};
}

std::vector<OpenFile> openFiles(pid_t process)
{
    const std::string root = livingFolder(process);
    std::vector<OpenFile> files;
    std::error_code code;
    std::size_t looked = 0;
    for (fs::directory_iterator at(root + "/fd", code), end; !code && at != end && looked < kMostDescriptors;
         at.increment(code), ++looked)
        if (auto file = openFile(root, at->path()))
            files.push_back(*std::move(file));
    return files;
}

bool ReadPositions::gotFurther(std::span<const pid_t> processes)
{
    bool further = false;
    for (const pid_t process : processes)
        for (const OpenFile& file : openFiles(process)) {
            if (file.access != OpenFile::Access::ReadOnly)
                continue;
            std::uint64_t& furthest = m_furthest[file.known];
            if (file.position <= furthest)
                continue;
            furthest = file.position;
            further = true;
        }
    m_furthest.endTurn();
    return further;
}

} // namespace loadlab
