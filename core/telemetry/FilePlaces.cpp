#include "core/telemetry/FilePlaces.h"

#include "core/telemetry/OpenFiles.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/ProcessReader.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace loadlab {
namespace {

namespace fs = std::filesystem;
using By = Whereabouts::By;

constexpr std::size_t kMostSmaps = std::size_t{16} << 20;
constexpr std::uint64_t kLeastAnywhere = 1 << 20; ///< Smaller files are not what a load waits for.

bool isBelow(const fs::path& file, const fs::path& folder)
{
    const auto& whole = file.native();
    const auto& part = folder.native();
    return whole.size() >= part.size() && whole.compare(0, part.size(), part) == 0
        && (whole.size() == part.size() || part.ends_with('/') || whole[part.size()] == '/');
}

bool isAmong(const fs::path& file, const std::vector<fs::path>& places)
{
    return std::ranges::any_of(places, [&file](const fs::path& place) { return isBelow(file, place); });
}

struct Mapping {
    fs::path file;
    std::uint64_t residentBytes = 0;
    bool isCode = false; ///< Executable.
    bool isShared = false; ///< What is written to it goes to the file.
};

/// "7f…-7f… r--p offset dev inode   /path" begins a mapping, "Rss:  12 kB" is inside it.
std::vector<Mapping> mappingsOf(pid_t pid)
{
    const auto text = readSmallFile(livingFolder(pid) + "/smaps", kMostSmaps);
    std::vector<Mapping> mappings;
    bool ofFile = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto line = std::string_view(text).substr(at, text.find('\n', at) - at);
        at += line.size() + 1;
        if (const auto space = line.find(' '); line.find('-') < space) {
            const auto slash = line.find(" /");
            ofFile = slash != line.npos;
            if (ofFile) {
                const auto mode = line.substr(space + 1, 4);
                mappings.push_back({line.substr(slash + 1), 0, mode.find('x') != mode.npos,
                    mode.ends_with('s') && mode.find('w') != mode.npos});
            }
        } else if (line.starts_with("Rss:") && ofFile) {
            auto rest = line.substr(4);
            mappings.back().residentBytes = procfs::takeNumber(rest).value_or(0) * 1024;
        }
    }
    return mappings;
}

/// Programs, libraries, locales, fonts: what every program opens and maps. Libraries elsewhere have code.
bool isOfTheSystem(const fs::path& file)
{
    constexpr std::array folders{"/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/share", "/lib", "/lib64", "/etc"};
    return std::ranges::any_of(folders, [&file](const char* folder) { return isBelow(file, folder); });
}

/// Without places what looks like a file that is loaded.
void keepWhatIsLoaded(std::vector<Mapping>& mappings, const std::vector<fs::path>& places)
{
    std::set<fs::path> others;
    for (const Mapping& mapping : mappings)
        if (places.empty() ? mapping.isCode || isOfTheSystem(mapping.file) : !isAmong(mapping.file, places))
            others.insert(mapping.file);
    std::erase_if(mappings, [&others](const Mapping& mapping) { return others.contains(mapping.file); });
}

} // namespace

std::vector<fs::path> placesOf(const fs::path& folder)
{
    std::error_code code;
    std::vector<fs::path> places{fs::weakly_canonical(folder, code)};
    for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
        std::error_code ignored;
        if (at->is_symlink(ignored))
            places.push_back(fs::weakly_canonical(at->path(), ignored));
    }
    std::erase_if(places, [](const fs::path& place) { return place.empty(); });
    return places;
}

Places openFilesOf(pid_t pid, const std::vector<fs::path>& places, ReadWriteFiles& readWrite)
{
    using Access = OpenFile::Access;
    Places found;
    for (const OpenFile& open : openFiles(pid)) {
        const std::uint64_t size = open.known.sizeBytes;
        const bool isOther
            = places.empty() ? size < kLeastAnywhere || isOfTheSystem(open.file) : !isAmong(open.file, places);
        if (size == 0 || isOther)
            continue;
        const bool tells = open.position > 0 && open.position < size;
        const bool maybeWritten = places.empty() && open.access != Access::ReadOnly;
        // A log stands at its end, and what is read by mapping or pread() at either.
        if (maybeWritten
            && (!tells || open.access != Access::ReadWrite || !readWrite.isOnlyRead(open.file, open.known)))
            continue;
        found.push_back({pid, open.file, open.position, size, tells ? By::Position : By::Open, 0, {}, maybeWritten,
            open.descriptor});
    }
    return found;
}

Places mappedFilesOf(pid_t pid, const std::vector<fs::path>& places, ReadWriteFiles& readWrite)
{
    std::vector<Mapping> mappings = mappingsOf(pid);
    keepWhatIsLoaded(mappings, places);
    std::map<fs::path, Mapping> files;
    for (const Mapping& mapping : mappings) {
        Mapping& whole = files[mapping.file];
        whole.residentBytes += mapping.residentBytes;
        whole.isShared |= mapping.isShared;
    }
    Places found;
    for (const auto& [file, whole] : files) {
        const auto known = knownFile(file);
        if (!known || (places.empty() && known->sizeBytes < kLeastAnywhere))
            continue;
        const bool maybeWritten = places.empty() && whole.isShared;
        const bool isIn = whole.residentBytes > 0;
        if (maybeWritten && (!isIn || !readWrite.isOnlyRead(file, *known)))
            continue;
        // What is mapped twice is there twice.
        found.push_back({pid, file, std::min(whole.residentBytes, known->sizeBytes), known->sizeBytes,
            isIn ? By::Mapping : By::Open, 0, {}, maybeWritten});
    }
    return found;
}

} // namespace loadlab
