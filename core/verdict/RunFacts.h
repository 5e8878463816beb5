#pragma once

#include "core/Variant.h"
#include "core/checkpoint/Checkpoint.h"
#include "core/curve/CurveSummary.h"
#include "core/telemetry/HostClock.h"
#include "core/telemetry/Machine.h"
#include "core/worker/Protocol.h"
#include "core/worker/WorkerProcess.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// The lab's own acts: what the lab did to the run, in the operator's name or by its limits.
struct LabActs {
    bool cancelled = false;
    bool timedOut = false;
    std::optional<std::chrono::nanoseconds> silence; ///< Set when the run was ended for lack of a sign of life.
    std::string guardStop; ///< Set when the guard killed it: what was left, and what was foretold.
    std::string
        capBreach; ///< Set when the lab's own watchdog killed it over a cap: "310 MiB held, over the cap of 300 MiB".
    // When the lab ended it for silence or time; may be empty.
    std::string pace; ///< What it was doing: "reading at 0.19 GiB/s".
    std::string standstill; ///< The state of its processes, and at which byte of which file it was.
    int strongestSignal = 0; ///< Sent by the lab: 0, SIGTERM, SIGKILL.
    std::optional<std::chrono::nanoseconds>
        afterTerm; ///< How long it lived on after the lab's SIGTERM, if one was sent.
};

/// A process that the kernel's log says was killed for lack of memory during the run.
struct KernelVictim {
    std::int64_t pid = 0;
    std::string name;
    bool ofThisRun = false; ///< By the run's own group, or as a process that its tree had just then.
    std::uint64_t heldBytes = 0; ///< Anonymous and shared memory at that moment.
    bool isWorker = false;
    /// What had no more: the run's own group, one below it, any other, or the machine.
    enum class Limit { Unknown, Run, Below, Other, Machine } limit = Limit::Unknown;
    std::string limitedGroup = {}; ///< Its path, where it is a group.
};

/// Everything a verdict may rest on. A value: judging it again with later rules needs nothing else.
struct RunFacts {
    Variant variant;
    Limits limits;
    std::string model; ///< "org/name" under which it is published, where that is known.
    LabActs acts;
    std::optional<Error> startError; ///< The worker was found, but did not start.
    std::optional<WaitStatus> wait; ///< Nothing when it never started, never ended, or the lab was lost.
    std::string
        undying; ///< Set when SIGKILL did not end it: "pid 12 did not end on SIGKILL: in uninterruptible sleep".
    KernelCounters before;
    KernelCounters after;
    bool kernelLogRead = false; ///< Its victims since the start of the run are known.
    std::vector<KernelVictim> kernelVictims;
    /// Processes that left the run's group: "pid 4711 (bash), in /other". Neither cap nor counters held for them and
    /// whatever they started.
    std::vector<std::string> outsideGroup;
    std::optional<protocol::Hello> hello;
    std::optional<protocol::Loaded> loaded;
    std::optional<protocol::WorkerError> error;
    std::vector<protocol::Warning> warnings;
    std::optional<protocol::Progress> progress; ///< The last one.
    std::string nonsense; ///< First line on stdout that is no protocol, quoted; empty: none.
    bool wentMute = false; ///< Closed its stdout and ran on.
    bool helloLate = false; ///< No hello within the start-up limit.
    std::string logTail; ///< Last 64 KiB of stderr, UTF-8.
    /// What inspecting the checkpoint gave, before the run; nothing when it could not be inspected.
    std::optional<CheckpointState> checkpointState;
    std::vector<Problem> problems;
    std::optional<Error> inspectError;
    CurveSummary curve;
    std::chrono::nanoseconds duration{};
    std::vector<Pause> pauses; ///< None of it counts as silence.
    std::uint64_t adoptedMaxRssBytes = 0; ///< Largest ru_maxrss of processes of the run that the lab itself reaped.
    std::uint64_t leftoverProcesses = 0; ///< Killed after the end.
    std::vector<std::string> leftovers; ///< "pid 4711 (sleep)"
    std::uint64_t leftShmBytes = 0; ///< In memory files that the run's group still holds after its last process.
    std::uint64_t dirtyStartBytes = 0; ///< What the run before had not given back when this one started.
};

} // namespace loadlab
