#include "core/telemetry/FilePlaces.h"

#include "core/telemetry/OpenFiles.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/ProcessReader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <optional>
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
    std::uint64_t fromByte = 0; ///< Of the file.
    std::uint64_t untilByte = 0;
    std::uint64_t residentBytes = 0;
    bool isCode = false; ///< Executable.
    bool isShared = false; ///< What is written to it goes to the file.
};

std::uint64_t takeHex(std::string_view& text)
{
    std::uint64_t number = 0;
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(" -")));
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number, 16).ptr;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

/// "7f…-7f… r--p offset dev inode   /path"; nothing where no file is mapped.
std::optional<Mapping> mappingOf(std::string_view line)
{
    const auto slash = line.find(" /");
    if (slash == line.npos)
        return std::nullopt;
    Mapping mapping{line.substr(slash + 1)};
    const std::uint64_t begin = takeHex(line);
    const std::uint64_t length = takeHex(line) - begin;
    const auto mode = line.substr(1, 4);
    mapping.isCode = mode.find('x') != mode.npos;
    mapping.isShared = mode.ends_with('s') && mode.find('w') != mode.npos;
    line.remove_prefix(1 + mode.size());
    mapping.fromByte = takeHex(line);
    mapping.untilByte = mapping.fromByte + length;
    return mapping;
}

/// Such a line begins a mapping, "Rss:  12 kB" is inside it.
std::vector<Mapping> mappingsOf(pid_t pid)
{
    const auto text = readSmallFile(livingFolder(pid) + "/smaps", kMostSmaps);
    std::vector<Mapping> mappings;
    bool ofFile = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto line = std::string_view(text).substr(at, text.find('\n', at) - at);
        at += line.size() + 1;
        if (const auto space = line.find(' '); line.find('-') < space) {
            auto mapping = mappingOf(line);
            ofFile = mapping.has_value();
            if (ofFile)
                mappings.push_back(*std::move(mapping));
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

/// Parts of a file, each byte once.
class Parts {
public:
    /// How many of these bytes were in it before.
    std::uint64_t add(std::uint64_t from, std::uint64_t until)
    {
        std::uint64_t before = 0;
        auto part = m_parts.lower_bound(from); // The first one that ends there or further on.
        std::uint64_t whole = until;
        std::uint64_t begin = from;
        for (; part != m_parts.end() && part->second <= until; part = m_parts.erase(part)) {
            before += std::min(until, part->first) - std::max(from, part->second);
            whole = std::max(whole, part->first);
            begin = std::min(begin, part->second);
        }
        m_parts[whole] = begin;
        return before;
    }

private:
    std::map<std::uint64_t, std::uint64_t> m_parts; ///< Where one ends, and where it begins.
};

/// At least: of mappings that overlap, the smaller one may have in memory what the larger one has.
std::uint64_t residentBytesOf(std::vector<const Mapping*>& mappings)
{
    std::ranges::stable_sort(mappings, std::ranges::greater(), &Mapping::residentBytes);
    std::uint64_t resident = 0;
    Parts counted;
    for (const Mapping* mapping : mappings) {
        const std::uint64_t before = counted.add(mapping->fromByte, mapping->untilByte);
        resident += mapping->residentBytes - std::min(mapping->residentBytes, before);
    }
    return resident;
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
    std::map<fs::path, std::vector<const Mapping*>> files;
    for (const Mapping& mapping : mappings)
        files[mapping.file].push_back(&mapping);
    Places found;
    for (auto& [file, parts] : files) {
        const auto known = knownFile(file);
        if (!known || (places.empty() && known->sizeBytes < kLeastAnywhere))
            continue;
        const std::uint64_t resident = residentBytesOf(parts);
        const bool maybeWritten = places.empty() && std::ranges::any_of(parts, &Mapping::isShared);
        const bool isIn = resident > 0;
        if (maybeWritten && (!isIn || !readWrite.isOnlyRead(file, *known)))
            continue;
        // Its last page is counted whole.
        found.push_back({pid, file, std::min(resident, known->sizeBytes), known->sizeBytes,
            isIn ? By::Mapping : By::Open, 0, {}, maybeWritten});
    }
    return found;
}

} // namespace loadlab
