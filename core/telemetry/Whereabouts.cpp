#include "core/telemetry/Whereabouts.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/telemetry/FilePlaces.h"
#include "core/telemetry/OpenFiles.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/ProcessReader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

namespace loadlab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostStates = 4;
constexpr std::uint64_t kWorthReading = 64 << 10; ///< Less may be a poll or a timer.

using By = Whereabouts::By;

/// Shards lie in one folder and are read in order; elsewhere the larger file is more of a load.
bool isFurther(const Whereabouts& a, const Whereabouts& b)
{
    const bool aPartly = a.atBytes < a.sizeBytes;
    const bool bPartly = b.atBytes < b.sizeBytes;
    if (aPartly != bPartly)
        return aPartly;
    return a.file.parent_path() == b.file.parent_path() ? a.file > b.file : a.sizeBytes > b.sizeBytes;
}

/// Of the first process that has one.
std::optional<Whereabouts> likeliest(const Places& places, By by, bool maybeWritten)
{
    const Whereabouts* best = nullptr;
    for (const Whereabouts& place : places) {
        if (place.by != by || place.maybeWritten != maybeWritten || (best && place.pid != best->pid))
            continue;
        if (!best || (by == By::Mapping ? isFurther(place, *best) : best->file < place.file))
            best = &place;
    }
    return best ? std::optional(*best) : std::nullopt;
}

/// Reads of files, pipes and sockets alike, answered by the disk or not.
std::optional<std::uint64_t> bytesReadBy(pid_t pid)
{
    return procfs::numberAfter(readSmallFile("/proc/" + std::to_string(pid) + "/io", 4096), "rchar:");
}

/// With how many more the process has.
std::optional<Whereabouts> likeliestOpen(const Places& places, bool maybeWritten)
{
    std::optional<Whereabouts> open = likeliest(places, By::Open, maybeWritten);
    if (!open)
        return open;
    std::set<fs::path> others;
    for (const Whereabouts& place : places)
        if (place.pid == open->pid && place.by == By::Open && place.file != open->file)
            others.insert(place.file);
    open->others = others.size();
    return open;
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

/// Claims no position.
std::string wordsOfOpen(const Whereabouts& place, const std::string& file)
{
    const std::string read = place.readBytes ? ", " + formatSize(*place.readBytes) + " read so far" : "";
    if (place.by == By::WasOpen)
        return file + " was open last" + read;
    return "pid " + std::to_string(place.pid) + " has " + file
        + (place.others > 0 ? " and " + formatCount(place.others, "other file") : "") + " open" + read;
}

} // namespace

std::optional<Whereabouts> findWhereabouts(std::span<const pid_t> processes, const fs::path& folder)
{
    return FileTrail(folder).find(processes);
}

FileTrail::FileTrail(fs::path folder)
    : m_folder(std::move(folder))
{
}

void FileTrail::look(std::span<const pid_t> processes)
{
    m_now.clear();
    ++m_looks;
    doubtLast();
    std::erase_if(
        m_seen, [&](const auto& seen) { return std::ranges::count(processes, std::get<0>(seen.first)) == 0; });
    std::erase_if(m_readBytes, [&](const auto& read) { return std::ranges::count(processes, read.first) == 0; });
    const auto places = m_folder.empty() ? std::vector<fs::path>() : placesOf(m_folder);
    if (places.empty() && !m_folder.empty())
        return;
    bool moved = false;
    for (const pid_t pid : processes)
        for (const Whereabouts& place : openFilesOf(pid, places, m_readWrite))
            moved |= note(place) && !place.maybeWritten;
    for (const pid_t pid : processes)
        doubtPositions(pid);
    for (const pid_t pid : processes)
        if (!moved)
            for (const Whereabouts& place : mappedFilesOf(pid, places, m_readWrite))
                note(place);
    if (std::optional<Whereabouts> found = best()) {
        found->readBytes = bytesReadBy(found->pid);
        m_last = found->by == By::Mapping ? std::nullopt : std::move(found);
    }
}

FileTrail::Key FileTrail::keyOf(const Whereabouts& place)
{
    return {place.pid, place.file, place.by, place.descriptor};
}

bool FileTrail::note(const Whereabouts& place)
{
    m_now.push_back(place);
    if (place.by == By::Open)
        return false;
    Seen& seen = m_seen[keyOf(place)];
    const bool moved = place.by == By::Mapping ? place.atBytes > seen.atBytes : place.atBytes != seen.atBytes;
    if (moved && m_looks > 1) {
        seen.movedAt = m_looks;
        seen.byBytes = place.atBytes > seen.atBytes ? place.atBytes - seen.atBytes : 0;
    }
    if (moved)
        seen.readBytes.reset();
    seen.atBytes = place.atBytes;
    return moved && m_looks > 1;
}

/// Headers are read by read(), what follows often by pread(). Asked after the positions: what is read between moves
/// them at the next look.
void FileTrail::doubtPositions(pid_t pid)
{
    const auto readBytes = bytesReadBy(pid);
    if (!readBytes)
        return;
    const bool mayBe = mayBeAnother(pid, *readBytes - std::exchange(m_readBytes[pid], *readBytes));
    for (Whereabouts& place : m_now) {
        if (place.pid != pid || place.by != By::Position)
            continue;
        Seen& seen = m_seen[keyOf(place)];
        if (seen.movedAt == m_looks || seen.movedAt == 0)
            seen.inDoubt = mayBe;
        if (!readsOn(seen, *readBytes) && !seen.inDoubt)
            continue;
        place.by = By::Open;
        place.atBytes = 0;
    }
}

/// What a child read is its parent's as well when that has waited for it, and has moved the position by then.
bool FileTrail::readsOn(Seen& seen, std::uint64_t readBytes) const
{
    if (!seen.readBytes)
        seen.readBytes = readBytes;
    const std::uint64_t more = readBytes - *seen.readBytes;
    if (seen.movedAt + 1 != m_looks || more >= seen.byBytes + kWorthReading)
        return more >= kWorthReading;
    seen.readBytes = readBytes;
    return false;
}

/// With so much read since the look before.
bool FileTrail::mayBeAnother(pid_t pid, std::uint64_t readBytes) const
{
    std::set<fs::path> files;
    bool moved = false;
    std::uint64_t movedBy = 0;
    for (const Whereabouts& place : m_now) {
        if (place.pid != pid || place.by != By::Position || !files.insert(place.file).second)
            continue;
        const Seen& seen = m_seen.at(keyOf(place));
        moved |= seen.movedAt > 0;
        movedBy += seen.movedAt == m_looks ? seen.byBytes : 0;
    }
    return files.size() > 1 && (!moved || readBytes >= movedBy + kWorthReading);
}

/// What was only read may have been written to before it was closed.
void FileTrail::doubtLast()
{
    if (!m_last || !m_last->maybeWritten)
        return;
    const auto known = knownFile(m_last->file);
    if (!known || !m_readWrite.isOnlyRead(m_last->file, *known))
        m_last.reset();
}

const Whereabouts* FileTrail::movedLast(bool maybeWritten) const
{
    const Whereabouts* best = nullptr;
    std::tuple<std::uint64_t, bool, std::uint64_t> most; // When it moved, whether there is more of it, by how much.
    for (const Whereabouts& place : m_now) {
        const auto seen = m_seen.find(keyOf(place));
        if (place.maybeWritten != maybeWritten || seen == m_seen.end() || seen->second.movedAt == 0)
            continue;
        const std::tuple rank{seen->second.movedAt, place.atBytes < place.sizeBytes, seen->second.byBytes};
        if (rank <= most)
            continue;
        best = &place;
        most = rank;
    }
    return best;
}

std::optional<Whereabouts> FileTrail::best() const
{
    for (const bool maybeWritten : {false, true}) {
        if (const Whereabouts* moved = movedLast(maybeWritten))
            return *moved;
        for (const By by : {By::Position, By::Mapping})
            if (auto found = likeliest(m_now, by, maybeWritten))
                return found;
        if (const Whereabouts* moved = maybeWritten ? nullptr : movedLast(true))
            return *moved; // What is only open may be through.
        if (auto found = likeliestOpen(m_now, maybeWritten))
            return found;
    }
    return std::nullopt;
}

std::optional<Whereabouts> FileTrail::find(std::span<const pid_t> processes)
{
    look(processes);
    if (m_now.empty() && m_last)
        m_last->by = By::WasOpen;
    const std::optional<Whereabouts> found = best();
    return found && found->by != By::Open ? found : m_last;
}

std::string toWords(const Whereabouts& whereabouts)
{
    const std::string name = toUtf8(whereabouts.file.filename().native());
    if (whereabouts.by == By::Open || whereabouts.by == By::WasOpen)
        return wordsOfOpen(whereabouts, name + " (" + formatSize(whereabouts.sizeBytes) + ")");
    const auto percent = whereabouts.sizeBytes > 0 ? 100 * whereabouts.atBytes / whereabouts.sizeBytes : 0;
    const auto amount = formatCount(whereabouts.atBytes) + " of " + formatCount(whereabouts.sizeBytes);
    return "at " + name + ", "
        + (whereabouts.by == By::Mapping ? amount + " bytes of its mapping in memory" : "at byte " + amount) + " ("
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

std::string describeStuckThread(pid_t pid)
{
    std::error_code code;
    for (fs::directory_iterator at("/proc/" + std::to_string(pid) + "/task", code), end; !code && at != end;
         at.increment(code)) {
        pid_t thread = 0;
        const std::string name = at->path().filename().string();
        std::from_chars(name.data(), name.data() + name.size(), thread);
        if (const std::string words = describeState(thread); words.starts_with(wordsForState('D')))
            return words;
    }
    return describeState(pid);
}

std::string describeState(pid_t pid)
{
    const std::string root = livingFolder(pid);
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
