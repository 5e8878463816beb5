#pragma once

#include "core/trial/TrialRunner.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// Runs of the backend `command`, for tests: real programs, watched to their end.
namespace loadlab::test {

inline constexpr std::uint64_t kMiB = 1 << 20;
inline const std::string kHog = LOADLAB_BINARY_DIR "/tests/memory_hog";
inline const std::string kSharer = LOADLAB_BINARY_DIR "/tests/memory_sharer";

inline TrialSpec commandSpec(const std::vector<std::string>& program)
{
    TrialSpec spec;
    spec.variant.backend = "command";
    spec.plugin.name = "command";
    spec.plugin.takesProgram = true;
    spec.program = program;
    return spec;
}

/// Without a containment the watchdog keeps the caps.
inline TrialSurroundings commandSurroundings(const Rules& rules, const Containment* containment)
{
    TrialSurroundings around;
    around.rules = &rules;
    around.stopTimes = {std::chrono::milliseconds(200), std::chrono::milliseconds(300)};
    around.settleTimeout = std::chrono::milliseconds(500);
    around.orphans = Orphans::All;
    around.containment = containment;
    return around;
}

/// One run of a program, with what it told.
struct Watched {
    std::mutex mutex;
    std::vector<RunEvent> events;
    bool keepsLog = true;
    std::uint64_t logBytes = 0;
    std::unique_ptr<TrialRunner> runner;

    void start(const std::string& line, const Limits& limits, const TrialSurroundings& around)
    {
        TrialSpec what = commandSpec({"/bin/sh", "-c", line});
        what.limits = limits;
        start(what, around);
    }
    void start(const TrialSpec& what, const TrialSurroundings& around)
    {
        runner = std::make_unique<TrialRunner>(what, around, [this](const RunEvent& event) { note(event); });
        runner->start();
    }
    void note(const RunEvent& event)
    {
        const std::lock_guard lock(mutex);
        const auto* log = std::get_if<LogText>(&event.body);
        logBytes += log ? log->bytes.size() : 0;
        if (!log || keepsLog)
            events.push_back(event);
    }
    std::string log(LogStream stream)
    {
        const std::lock_guard lock(mutex);
        std::string text;
        for (const RunEvent& event : events)
            if (const auto* log = std::get_if<LogText>(&event.body); log && log->stream == stream)
                text += log->bytes;
        return text;
    }
    std::vector<Sample> samples()
    {
        const std::lock_guard lock(mutex);
        std::vector<Sample> all;
        for (const RunEvent& event : events)
            if (const auto* taken = std::get_if<SamplesTaken>(&event.body))
                all.insert(all.end(), taken->samples.begin(), taken->samples.end());
        return all;
    }
    GuardLooked lastLook()
    {
        const std::lock_guard lock(mutex);
        GuardLooked last;
        for (const RunEvent& event : events)
            if (const auto* seen = std::get_if<GuardLooked>(&event.body))
                last = *seen;
        return last;
    }
    std::string acts()
    {
        const std::lock_guard lock(mutex);
        std::string names;
        for (const RunEvent& event : events)
            if (const auto* acted = std::get_if<LabActed>(&event.body))
                names += acted->act + " ";
        return names;
    }
    pid_t worker()
    {
        const std::lock_guard lock(mutex);
        for (const RunEvent& event : events)
            if (const auto* started = std::get_if<WorkerStarted>(&event.body))
                return static_cast<pid_t>(started->pid);
        return 0;
    }
};

inline std::string modeOf(const RunResult& result)
{
    return result.verdict ? std::string(toWireName(result.verdict->mode)) : "none";
}

inline std::string allWords(const RunResult& result)
{
    return modeOf(result) + ": " + toJson(result).dump(1);
}

/// The fact of this source; empty where there is none.
inline std::string factOf(const RunResult& result, std::string_view source)
{
    for (const Evidence& evidence : result.verdict->evidence)
        if (evidence.source == source)
            return evidence.fact;
    return {};
}

} // namespace loadlab::test
