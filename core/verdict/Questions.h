#pragma once

#include "core/verdict/Finding.h"

#include <cstdint>
#include <optional>
#include <string>

/// The questions of a verdict, each answered from the facts alone. Judge.cpp has their order.
namespace loadlab::questions {

/// Cancelled, timed out, silent for too long, never a hello.
Answer labsOwnActs(const Case& asked);
/// The kernel's counter of the run's own cgroup; or its log, which names a process of the run.
Answer kernelEvidence(const Case& asked);
/// The program was found and could not be started, or went before it spoke.
Answer failedStart(const Case& asked);
/// The worker's own `error` event, unless the inspected files know better.
Answer workersError(const Case& asked);
/// Something on stdout that is no protocol.
Answer nonsense(const Case& asked);
/// Loaded, and as asked or not.
Answer loaded(const Case& asked);
/// Ended badly, and a line of the log says why.
Answer statementInTheLog(const Case& asked);
/// Nothing ran, or it ended badly without a word: and the inspection knows a defect.
Answer inspectedDefectAlone(const Case& asked);
Answer endedBySignal(const Case& asked);
/// With a code, 0 included, and no statement anywhere.
Answer endedByItself(const Case& asked);

/// What else the lab saw: exit status, counters, warnings, leftovers. For every verdict.
void addContext(const Case& asked, Finding& finding);

/// Whether the backend speaks the protocol: any but `command`, which watches any program.
bool talks(const RunFacts& facts);
/// Whether the lab's own signal ended the worker.
bool endedByTheLab(const RunFacts& facts);
/// Whether the worker left as it should: code 0, or by the signals with which the lab ended it.
bool endedInOrder(const RunFacts& facts);

/// How far a counter of out-of-memory kills moved during the run.
struct Kills {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
};
std::optional<Kills> groupKills(const RunFacts& facts);
std::optional<Kills> machineKills(const RunFacts& facts);
/// "0 -> 1"
std::string killWords(const Kills& kills);
Evidence groupEvidence(const Kills& kills, double weight);

/// " after 8.20 s, at 120 of 291 tensors", as far as known.
std::string whenWords(const RunFacts& facts);
/// "exit code 1", "signal SIGSEGV (Segmentation fault)", "no exit status".
std::string endWords(const RunFacts& facts);

} // namespace loadlab::questions
