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
#include <sstream>
#include <utility>
#include <vector>

namespace loadlab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostStates = 4;
constexpr std::uint64_t kWorthReading = 64 << 10; ///< Less may be a poll or a timer.
constexpr std::uint64_t kWorthFaulting = 4; ///< Each maps up to 2 MiB of what is in the page cache.
constexpr std::uint64_t kMostHeaders = 1 << 20; ///< Who moves a position by more between two looks reads the file so.

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

/// Minor and major ones.
std::uint64_t faultsOf(pid_t pid)
{
    const std::string stat = readSmallFile("/proc/" + std::to_string(pid) + "/stat", 4096);
    std::istringstream fields(stat.substr(std::min(stat.rfind(')'), stat.size() - 1) + 1));
    std::string skipped;
    for (int i = 0; i < 7; ++i)
        fields >> skipped;
    std::uint64_t minor = 0;
    std::uint64_t major = 0;
    fields >> minor >> skipped >> major;
    return minor + major;
}

bool isThrough(const Whereabouts& place)
{
    return place.atBytes >= place.sizeBytes;
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
    std::erase_if(m_reads, [&](const auto& read) { return std::ranges::count(processes, read.first) == 0; });
    const auto places = m_folder.empty() ? std::vector<fs::path>() : placesOf(m_folder);
    if (places.empty() && !m_folder.empty())
        return;
    bool moved = false;
    for (const pid_t pid : processes)
        for (const Whereabouts& place : openFilesOf(pid, places, m_readWrite))
            moved |= note(place) && !place.maybeWritten;
    noteReads(processes);
    doubtPositions();
    forgetClosed(false);
    if (!moved) {
        for (const pid_t pid : processes)
            for (const Whereabouts& place : mappedFilesOf(pid, places, m_readWrite))
                note(place);
        doubtByMappings();
        forgetClosed(true);
    }
    m_readWrite.endTurn();
    if (std::optional<Whereabouts> found = best()) {
        found->readBytes = bytesReadBy(found->pid);
        m_last = found->by == By::Mapping ? std::nullopt : std::move(found);
    } else if (m_last && m_reads.contains(m_last->pid)) {
        m_last->readBytes = m_reads.at(m_last->pid).bytes; // More than when the file was open.
    }
}

FileTrail::Key FileTrail::keyOf(const Whereabouts& place)
{
    return {place.pid, place.file, place.descriptor};
}

bool FileTrail::note(const Whereabouts& place)
{
    m_now.push_back(place);
    const auto [at, isNew] = m_seen.try_emplace(keyOf(place));
    Seen& seen = at->second;
    seen.seenAt = m_looks;
    if (isNew && place.descriptor >= 0)
        inherit(at->first, seen, place.atBytes);
    const bool moved = place.descriptor < 0 ? place.atBytes > seen.atBytes : place.atBytes != seen.atBytes;
    if (moved && m_looks > 1) {
        seen.movedAt = m_looks;
        seen.byBytes = place.atBytes > seen.atBytes ? place.atBytes - seen.atBytes : 0;
    }
    if (moved) {
        seen.readBytes.reset();
        seen.othersBeyond.reset();
        seen.faults.reset();
    }
    seen.atBytes = place.atBytes;
    return moved && m_looks > 1 && place.by != By::Open;
}

/// A child has the files of its parent open, where they stood: that is no move.
void FileTrail::inherit(const Key& key, Seen& seen, std::uint64_t atBytes) const
{
    if (m_looks == 1 || atBytes == 0)
        return;
    for (const auto& [other, known] : m_seen)
        if (known.atBytes == atBytes && std::get<2>(other) >= 0 && other != key
            && std::get<1>(other).native() == std::get<1>(key).native()) {
            seen = {atBytes, known.movedAt, known.byBytes, {}, {}, {}, m_looks, known.inDoubt};
            return;
        }
}

/// All that positions moved by since the look before, of all processes or one; what several share once.
std::uint64_t FileTrail::movedBytes(std::optional<pid_t> pid) const
{
    std::set<std::pair<fs::path, std::uint64_t>> counted;
    std::uint64_t moved = 0;
    for (const Whereabouts& place : m_now) {
        const Seen& seen = m_seen.at(keyOf(place));
        if ((!pid || place.pid == *pid) && seen.movedAt == m_looks && counted.emplace(place.file, place.atBytes).second)
            moved += seen.byBytes;
    }
    return moved;
}

/// Asked after the positions: what is read between moves them at the next look. And who reads from a pipe what another
/// one reads from a file is later than that by what is in the pipe.
void FileTrail::noteReads(std::span<const pid_t> processes)
{
    const std::uint64_t moved = movedBytes({});
    const std::uint64_t accounted = moved + std::exchange(m_movedBefore, moved);
    for (const pid_t pid : processes) {
        const auto bytes = bytesReadBy(pid);
        if (!bytes)
            continue;
        Reads& reads = m_reads[pid];
        reads.moreBytes = *bytes - std::min(*bytes, std::exchange(reads.bytes, *bytes));
        reads.faults = faultsOf(pid);
        reads.beyondNow = reads.moreBytes - std::min(reads.moreBytes, accounted);
        reads.beyond += reads.beyondNow;
        m_beyond += reads.beyondNow;
        if (reads.beyondNow >= kWorthReading)
            reads.beyondLast = {m_looks, reads.beyondNow};
    }
}

void FileTrail::noteUnfinished()
{
    for (auto& [pid, reads] : m_reads)
        reads.unfinished.clear();
    for (const Whereabouts& place : m_now) {
        const auto reads = m_reads.find(place.pid);
        if (reads == m_reads.end() || isThrough(place))
            continue;
        auto& files = reads->second.unfinished;
        if (files.empty() || (files.size() == 1 && files.front() != place.file))
            files.push_back(place.file);
    }
}

/// Headers are read by read(), what follows often by pread(). What several processes share is in doubt for all.
void FileTrail::doubtPositions()
{
    noteUnfinished();
    for (auto& [pid, reads] : m_reads)
        reads.mayBeAnother = mayBeAnother(pid, reads);
    std::set<std::pair<fs::path, std::uint64_t>> doubtful;
    for (const Whereabouts& place : m_now) {
        Seen& seen = m_seen.at(keyOf(place));
        if (place.by == By::Position && m_reads.contains(place.pid) && isDoubtful(place, seen))
            doubtful.emplace(place.file, place.atBytes);
    }
    for (Whereabouts& place : m_now) {
        if (place.by != By::Position || !doubtful.contains({place.file, place.atBytes}))
            continue;
        m_seen.at(keyOf(place)).inDoubt = true;
        place.by = By::Open;
    }
}

bool FileTrail::isDoubtful(const Whereabouts& place, Seen& seen) const
{
    const Reads& reads = m_reads.at(place.pid);
    if (seen.movedAt == m_looks)
        seen.inDoubt = false;
    if (seen.movedAt == m_looks || seen.movedAt == 0)
        seen.inDoubt |= reads.mayBeAnother;
    if (!seen.faults)
        seen.faults = reads.faults;
    const bool elsewhere = othersReadOn(place, seen);
    return readsOn(seen, reads.bytes) || elsewhere || seen.inDoubt;
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

/// Which have another file open, where what they read before counts as well, or read on while the position stands.
bool FileTrail::othersReadOn(const Whereabouts& place, Seen& seen) const
{
    const auto isAtAnother = [&](const auto& other) {
        const auto& [pid, reads] = other;
        const std::uint64_t beyond = seen.movedAt == 0 ? reads.beyond : reads.beyondNow;
        return pid != place.pid && beyond >= kWorthReading
            && std::ranges::any_of(reads.unfinished, [&](const fs::path& file) { return file != place.file; });
    };
    const std::uint64_t beyond = m_beyond - m_reads.at(place.pid).beyond;
    if (!seen.othersBeyond)
        seen.othersBeyond = beyond;
    return beyond - *seen.othersBeyond >= kWorthReading
        || ((seen.movedAt == m_looks || seen.movedAt == 0) && std::ranges::any_of(m_reads, isAtAnother));
}

/// By what the process read since the look before.
bool FileTrail::mayBeAnother(pid_t pid, const Reads& reads) const
{
    std::set<fs::path> files;
    bool moved = false;
    for (const Whereabouts& place : m_now) {
        if (place.pid != pid || place.by != By::Position)
            continue;
        files.insert(place.file);
        moved |= m_seen.at(keyOf(place)).movedAt > 0;
    }
    if (!moved)
        return files.size() > 1;
    return reads.unfinished.size() > 1 && reads.moreBytes >= movedBytes(pid) + kWorthReading;
}

/// What is read through a mapping that is dropped again shows in neither: then it may be either.
void FileTrail::doubtByMappings()
{
    for (Whereabouts& place : m_now) {
        Seen& seen = m_seen.at(keyOf(place));
        if (place.by != By::Position || !mayReadMapping(place.pid, seen))
            continue;
        for (Whereabouts& other : m_now) {
            if (other.pid != place.pid || other.descriptor >= 0 || isThrough(other)
                || other.maybeWritten > place.maybeWritten || other.file.native() == place.file.native())
                continue;
            seen.inDoubt = true;
            if (m_seen.at(keyOf(other)).movedAt <= seen.movedAt)
                other.by = By::Open;
        }
        if (seen.inDoubt)
            place.by = By::Open;
    }
}

/// Since the position moved.
bool FileTrail::mayReadMapping(pid_t pid, const Seen& seen) const
{
    const auto reads = m_reads.find(pid);
    return seen.movedAt != m_looks
        && (seen.byBytes < kMostHeaders
            || (seen.faults && reads != m_reads.end() && reads->second.faults >= *seen.faults + kWorthFaulting));
}

void FileTrail::forgetClosed(bool mapped)
{
    std::erase_if(m_seen,
        [&](const auto& seen) { return (std::get<2>(seen.first) < 0) == mapped && seen.second.seenAt != m_looks; });
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
        const Seen& seen = m_seen.at(keyOf(place));
        if (place.maybeWritten != maybeWritten || place.by == By::Open || seen.movedAt == 0)
            continue;
        const std::tuple rank{seen.movedAt, !isThrough(place), seen.byBytes};
        if (rank <= most)
            continue;
        best = &place;
        most = rank;
    }
    return best;
}

/// Of the process that read on last, with how many more it has.
std::optional<Whereabouts> FileTrail::likeliestOpen(bool maybeWritten) const
{
    const auto readOn = [this](pid_t pid) {
        const auto reads = m_reads.find(pid);
        return reads == m_reads.end() ? decltype(Reads::beyondLast)() : reads->second.beyondLast;
    };
    Places open;
    for (const Whereabouts& place : m_now) {
        if (place.by != By::Open || place.maybeWritten != maybeWritten)
            continue;
        if (!open.empty() && readOn(place.pid) > readOn(open.front().pid))
            open.clear();
        if (open.empty() || place.pid == open.front().pid)
            open.push_back(place);
    }
    std::optional<Whereabouts> found = likeliest(open, By::Open, maybeWritten);
    std::set<fs::path> files;
    for (const Whereabouts& place : open)
        files.insert(place.file);
    if (found)
        found->others = files.size() - 1;
    return found;
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
        if (auto found = likeliestOpen(maybeWritten))
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
