#include "core/trial/BootLog.h"

#include "core/Text.h"
#include "core/telemetry/ProcFile.h"
#include "core/worker/Subprocess.h"

#include <algorithm>
#include <charconv>
#include <sys/stat.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostLines = 2000;
constexpr std::size_t kMostLineBytes = 1000;
constexpr std::size_t kMostFiles = 64;
constexpr int kDeepest = 2;
/// The kernel stamps its lines by another clock than CLOCK_MONOTONIC, which is steered.
constexpr std::int64_t kClocksApartNs = 2'000'000'000;

std::string withoutDashes(std::string_view bootId)
{
    std::string plain(bootId);
    std::erase(plain, '-');
    const bool isId = plain.size() == 32 && plain.find_first_not_of("0123456789abcdef") == std::string::npos;
    return isId ? plain : std::string();
}

std::vector<KernelLine> linesIn(std::string_view text)
{
    std::vector<KernelLine> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (KernelLine line; parseKernelLine(text.substr(0, end), line))
            lines.push_back(std::move(line));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::vector<KernelLine> journalOf(
    const std::string& bootId, const std::string& program, std::chrono::milliseconds limit)
{
    WorkerCommand command;
    command.program = program;
    command.arguments = {"--dmesg", "--boot", bootId, "--lines", std::to_string(kMostLines), "--output",
        "short-monotonic", "--no-pager", "--quiet"};
    const Result<ProgramOutput> said = runToEnd(std::move(command), limit);
    return said && said->status.code == 0 ? linesIn(said->standardOutput) : std::vector<KernelLine>();
}

bool isDumpSince(const fs::path& file, std::chrono::system_clock::time_point since)
{
    struct stat status { };
    return file.filename().native().starts_with("dmesg") && ::stat(file.c_str(), &status) == 0
        && S_ISREG(status.st_mode) && std::chrono::system_clock::from_time_t(status.st_mtime) >= since;
}

std::vector<KernelLine> pstoreSince(std::chrono::system_clock::time_point since, const std::vector<fs::path>& folders)
{
    std::vector<KernelLine> kept;
    std::size_t looked = 0;
    for (const fs::path& folder : folders) {
        std::error_code error;
        const auto options = fs::directory_options::skip_permission_denied;
        for (fs::recursive_directory_iterator at(folder, options, error), end;
             !error && at != end && looked < kMostFiles; at.increment(error), ++looked) {
            if (at.depth() >= kDeepest)
                at.disable_recursion_pending();
            if (isDumpSince(at->path(), since))
                std::ranges::move(linesIn(readSmallFile(at->path().string())), std::back_inserter(kept));
        }
    }
    for (KernelLine& line : kept)
        line.kept = true;
    return kept;
}

} // namespace

bool parseKernelLine(std::string_view line, KernelLine& into)
{
    if (line.starts_with('<'))
        line.remove_prefix(std::min(line.find('>'), line.size() - 1) + 1);
    const std::size_t close = line.find(']');
    if (!line.starts_with('[') || close == std::string_view::npos)
        return false;
    const std::string_view stamp = trimmed(line.substr(1, close - 1));
    double seconds = 0;
    const auto [end, error] = std::from_chars(stamp.data(), stamp.data() + stamp.size(), seconds);
    if (error != std::errc() || end != stamp.data() + stamp.size() || !(seconds >= 0 && seconds < 1e9))
        return false;
    line = trimmed(line.substr(close + 1));
    constexpr std::string_view speaker = "kernel: "; // Behind a host's name, which has no blanks.
    if (const std::size_t space = line.find(' ');
        line.substr(std::min(space, line.size() - 1) + 1).starts_with(speaker))
        line.remove_prefix(space + 1 + speaker.size());
    into = {static_cast<std::int64_t>(seconds * 1e9), toUtf8(line.substr(0, kMostLineBytes)), false};
    return true;
}

std::vector<KernelLine> readBootLog(std::string_view bootId, std::chrono::system_clock::time_point since,
    std::chrono::milliseconds limit, const BootLogPlaces& places)
{
    const std::string id = withoutDashes(bootId);
    if (id.empty())
        return {};
    std::vector<KernelLine> lines = journalOf(id, places.journalctl, limit);
    std::ranges::move(pstoreSince(since, places.pstore), std::back_inserter(lines));
    std::ranges::stable_sort(lines, {}, &KernelLine::monotonicNs);
    return lines;
}

std::vector<KernelLine> linesOfRun(const std::vector<KernelLine>& log, std::int64_t fromNs, std::int64_t untilNs)
{
    const auto lastKept = std::ranges::find_if(log.rbegin(), log.rend(), &KernelLine::kept);
    const bool ofThisBoot = lastKept != log.rend() && lastKept->monotonicNs >= untilNs - kClocksApartNs;
    std::vector<KernelLine> lines;
    for (const KernelLine& line : log)
        if (line.monotonicNs >= fromNs - kClocksApartNs && (!line.kept || ofThisBoot))
            lines.push_back(line);
    return lines;
}

} // namespace loadlab
