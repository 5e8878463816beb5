#include "core/verdict/Tracebacks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <string_view>

namespace loadlab {
namespace {

/// What is said by an exception that only passes on what happened before it.
constexpr std::array<std::string_view, 18> kPassesOn{"failed to load", "failed to create", "failed to start",
    "failed to init", "initialization failed", "could not load", "above", "root cause", "worker", "process",
    "childfailed", "nonetype", "is none", "memory", "connection", "nccl", "peer", "rank"};

bool begins(const LogLine& line)
{
    return line.lowered == "traceback (most recent call last):";
}

bool isLink(const LogLine& line)
{
    return line.lowered == "during handling of the above exception, another exception occurred:"
        || line.lowered == "the above exception was the direct cause of the following exception:";
}

/// In capitals, as a word of its own: "ERROR:root:…", "12:00:01 - app - ERROR - …", "[ERROR] …".
bool isErrorRecord(const LogLine& line)
{
    constexpr std::string_view level = "ERROR";
    const auto at = line.text.find(level);
    const auto isWord = [&](std::size_t i) {
        return i < line.text.size() && std::isalnum(static_cast<unsigned char>(line.text[i])) != 0;
    };
    return at != std::string::npos && !isWord(at + level.size()) && (at == 0 || !isWord(at - 1));
}

bool standsForItself(const LogLine& error)
{
    return std::ranges::none_of(
        kPassesOn, [&](std::string_view words) { return error.lowered.find(words) != std::string::npos; });
}

bool faultEnded(const RunFacts& facts)
{
    const int signal = facts.wait ? facts.wait->signal.value_or(0) : 0;
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE;
}

} // namespace

std::vector<Traceback> tracebacksOf(const std::vector<LogLine>& log)
{
    std::vector<Traceback> found;
    for (std::size_t i = 0; i < log.size(); ++i) {
        if (!begins(log[i]))
            continue;
        const auto end = std::find_if(log.begin() + static_cast<std::ptrdiff_t>(i) + 1, log.end(),
            [](const LogLine& line) { return !line.indented; });
        const auto error = static_cast<std::size_t>(end - log.begin());
        const bool chained = !found.empty() && i > 0 && isLink(log[i - 1]);
        const bool logged = i > 0 && isErrorRecord(log[i - 1]);
        if (chained)
            found.back().error = error;
        else
            found.push_back({logged ? i - 1 : i, error, logged});
        i = std::min(error, log.size() - 1);
    }
    return found;
}

std::optional<std::size_t> markSurvived(std::vector<LogLine>& log, const RunFacts& facts)
{
    const bool fault = faultEnded(facts);
    bool another = false;
    std::optional<std::size_t> last;
    const std::vector<Traceback> all = tracebacksOf(log);
    for (auto traceback = all.rbegin(); traceback != all.rend(); ++traceback) {
        const bool isWhole = traceback->error < log.size();
        const bool survived = fault || traceback->logged || another;
        if (survived)
            for (std::size_t i = traceback->from; i < std::min(traceback->error + 1, log.size()); ++i)
                log[i].survived = true;
        else if (!last && isWhole)
            last = traceback->error;
        another = another || (!traceback->logged && isWhole && standsForItself(log[traceback->error]));
    }
    return last;
}

} // namespace loadlab
