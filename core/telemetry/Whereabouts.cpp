#include "core/telemetry/Whereabouts.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/telemetry/OpenFiles.h"
#include "core/telemetry/ProcFile.h"

#include <algorithm>
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

/// "7f…-7f… r--p offset dev inode   /path" begins a mapping, "Rss:  12 kB" is inside it.
std::optional<Whereabouts> mappedFile(pid_t pid, const std::vector<fs::path>& places)
{
    const auto text = readSmallFile("/proc/" + std::to_string(pid) + "/smaps", kMostSmaps);
    std::optional<Whereabouts> best;
    fs::path current;
    for (std::size_t at = 0; at < text.size();) {
        const auto line = std::string_view(text).substr(at, text.find('\n', at) - at);
        at += line.size() + 1;
        if (const auto slash = line.find(" /"); slash != line.npos && line.find('-') < line.find(' ')) {
            current = line.substr(slash + 1);
            if (!isAmong(current, places))
                current.clear();
        } else if (line.starts_with("Rss:") && !current.empty()) {
            auto rest = line.substr(4);
            const auto resident = procfs::takeNumber(rest).value_or(0) * 1024;
            std::error_code ignored;
            const auto size = fs::file_size(current, ignored);
            if (ignored || resident == 0)
                continue;
            const bool partly = resident < size;
            const bool bestPartly = best && best->atBytes < best->sizeBytes;
            if (!best || (partly && !bestPartly) || (partly == bestPartly && best->file < current))
                best = Whereabouts{pid, current, resident, size, true};
        } else if (line.find('-') < line.find(' ')) {
            current.clear(); // A mapping of no file.
        }
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
