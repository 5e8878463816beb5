#include "core/telemetry/Whereabouts.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/telemetry/OpenFiles.h"
#include "core/telemetry/ProcFile.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace loadlab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSmaps = std::size_t{16} << 20;
constexpr std::size_t kMostStates = 4;
constexpr std::uint64_t kLeastAnywhere = 1 << 20; ///< Smaller files are not what a load waits for.

bool isBelow(const fs::path& file, const fs::path& folder)
{
    const auto& whole = file.native();
    const auto& part = folder.native();
    return whole.size() >= part.size() && whole.compare(0, part.size(), part) == 0
        && (whole.size() == part.size() || part.ends_with('/') || whole[part.size()] == '/');
}

/// Hub caches keep their blobs beside the snapshot: what the folder's files lead to counts as well.
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

bool isAmong(const fs::path& file, const std::vector<fs::path>& places)
{
    return std::ranges::any_of(places, [&file](const fs::path& place) { return isBelow(file, place); });
}

std::optional<Whereabouts> openFile(pid_t pid, const std::vector<fs::path>& places)
{
    std::optional<Whereabouts> best;
    for (const OpenFile& open : openFiles(pid)) {
        if (open.position >= open.sizeBytes)
            continue;
        if (places.empty() ? open.sizeBytes < kLeastAnywhere || !open.readOnly : !isAmong(open.file, places))
            continue;
        if (!best || best->file < open.file)
            best = Whereabouts{pid, open.file, open.position, open.sizeBytes, false};
    }
    return best;
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
    const auto text = readSmallFile("/proc/" + std::to_string(pid) + "/smaps", kMostSmaps);
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
                mappings.push_back({line.substr(slash + 1), 0, mode.find('x') != mode.npos, mode == "rw-s"});
            }
        } else if (line.starts_with("Rss:") && ofFile) {
            auto rest = line.substr(4);
            mappings.back().residentBytes = procfs::takeNumber(rest).value_or(0) * 1024;
        }
    }
    return mappings;
}

/// Programs, libraries, locales, fonts: what every program has mapped. Libraries elsewhere have code.
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
        if (places.empty() ? mapping.isCode || mapping.isShared || isOfTheSystem(mapping.file)
                           : !isAmong(mapping.file, places))
            others.insert(mapping.file);
    std::erase_if(mappings, [&others](const Mapping& mapping) { return others.contains(mapping.file); });
}

/// Shards lie in one folder and are read in order; elsewhere the larger file is more of a load.
bool isFurther(const Whereabouts& a, const Whereabouts& b)
{
    const bool aPartly = a.atBytes < a.sizeBytes;
    const bool bPartly = b.atBytes < b.sizeBytes;
    if (aPartly != bPartly)
        return aPartly;
    return a.file.parent_path() == b.file.parent_path() ? a.file > b.file : a.sizeBytes > b.sizeBytes;
}

std::optional<Whereabouts> mappedFile(pid_t pid, const std::vector<fs::path>& places)
{
    std::vector<Mapping> mappings = mappingsOf(pid);
    keepWhatIsLoaded(mappings, places);
    std::optional<Whereabouts> best;
    for (const Mapping& mapping : mappings) {
        std::error_code ignored;
        const auto size = fs::file_size(mapping.file, ignored);
        if (ignored || mapping.residentBytes == 0 || (places.empty() && size < kLeastAnywhere))
            continue;
        const Whereabouts found{pid, mapping.file, mapping.residentBytes, size, true};
        if (!best || isFurther(found, *best))
            best = found;
    }
    return best;
}

std::string_view wordsForState(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'S':
        return "sleeping";
    case 'D':
        return "in uninterruptible sleep (disk or swap)";
    case 'T':
    case 't':
        return "stopped by a signal";
    case 'Z':
    case 'X':
        return "ended";
    default:
        return "idle";
    }
}

} // namespace

std::optional<Whereabouts> findWhereabouts(std::span<const pid_t> processes, const fs::path& folder)
{
    const auto places = folder.empty() ? std::vector<fs::path>() : placesOf(folder);
    if (places.empty() && !folder.empty())
        return std::nullopt;
    for (const auto pid : processes)
        if (auto found = openFile(pid, places))
            return found;
    for (const auto pid : processes)
        if (auto found = mappedFile(pid, places))
            return found;
    return std::nullopt;
}

std::string toWords(const Whereabouts& whereabouts)
{
    const auto percent = whereabouts.sizeBytes > 0 ? 100 * whereabouts.atBytes / whereabouts.sizeBytes : 0;
    const auto amount = formatCount(whereabouts.atBytes) + " of " + formatCount(whereabouts.sizeBytes);
    return toUtf8(whereabouts.file.filename().native()) + ", "
        + (whereabouts.mapped ? amount + " bytes of its mapping in memory" : "at byte " + amount) + " ("
        + std::to_string(percent) + " %)";
}

std::string describeStates(std::span<const pid_t> processes)
{
    std::string words;
    std::size_t told = 0;
    for (const auto pid : processes) {
        const auto state = describeState(pid);
        if (state.empty() || ++told > kMostStates)
            continue;
        words += (words.empty() ? "pid " : ", pid ") + std::to_string(pid) + " " + state;
    }
    return words;
}

std::string describeState(pid_t pid)
{
    const std::string root = "/proc/" + std::to_string(pid);
    const auto stat = readSmallFile(root + "/stat", 4096);
    const auto nameEnd = stat.rfind(')');
    if (nameEnd == stat.npos || nameEnd + 2 >= stat.size())
        return {};
    const char state = stat[nameEnd + 2];
    std::string words(wordsForState(state));
    const auto channel = readSmallFile(root + "/wchan", 256);
    if ((state == 'S' || state == 'D') && channel.size() > 1)
        words += " in " + toUtf8(channel);
    return words;
}

} // namespace loadlab
