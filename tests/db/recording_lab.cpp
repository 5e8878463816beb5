// A lab that records, as a process of its own: to be killed, raced and looked at by the tests of the store.
//
//   recording_lab DB record            one run in real time, 20 samples a second; prints "run UUID", then "tick NS"
//   after
//                                      each sample was handed over; ends the run when stdin closes, prints "finished"
//   recording_lab DB burst RUNS COUNT  waits for stdin to close; then RUNS runs of COUNT samples as fast as it can
//   recording_lab DB close BOOT        waits for stdin to close; then closes lost runs and prints their uuids
#include "RunBuilder.h"

#include "core/Units.h"
#include "core/telemetry/ProcessTree.h"
#include "db/RunRecorder.h"
#include "db/RunStore.h"

#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;

namespace {

RunStarted realStart()
{
    RunStarted begin = started();
    begin.machine = readMachine();
    begin.originNs = monotonicNs();
    begin.labPid = ::getpid();
    begin.labStartTicks = identify(::getpid()).value_or(ProcessId{}).startTicks;
    return begin;
}

/// True when stdin was closed.
bool waitForEnd(int milliseconds)
{
    struct pollfd in {
        STDIN_FILENO, POLLIN, 0
    };
    char byte = 0;
    return ::poll(&in, 1, milliseconds) > 0 && ::read(STDIN_FILENO, &byte, 1) == 0;
}

void print(const std::string& line)
{
    std::puts(line.c_str());
    std::fflush(stdout);
}

int stop(const std::optional<Error>& error)
{
    if (error)
        std::fprintf(stderr, "%s\n", error->message.c_str());
    return error ? 3 : 0;
}

int record(const std::string& database)
{
    const RunStarted begin = realStart();
    RunRecorder recorder(database);
    recorder.onEvent({begin.originNs, begin});
    recorder.flush();
    print("run " + begin.identity.uuid);
    recorder.onEvent({monotonicNs(), protocol::Message{monotonicNs(), protocol::PhaseEntered{"reading"}}});
    for (std::int64_t n = 1; !waitForEnd(50); ++n) {
        Sample sample = samples(1, static_cast<std::size_t>(n)).front();
        sample.monotonicNs = monotonicNs();
        recorder.onEvent({sample.monotonicNs, SamplesTaken{{sample}}});
        recorder.onEvent(
            {sample.monotonicNs, LogText{LogStream::Stderr, "tick " + std::to_string(sample.monotonicNs) + "\n"}});
        print("tick " + std::to_string(sample.monotonicNs));
    }
    recorder.onEvent({monotonicNs(), RunFinished{finished(begin)}});
    recorder.flush();
    print("finished");
    return stop(recorder.error());
}

int burst(const std::string& database, int runs, std::size_t count)
{
    while (!waitForEnd(1000)) { }
    for (int i = 0; i < runs; ++i) {
        const RunStarted begin = realStart();
        RunRecorder recorder(database);
        recorder.onEvent({begin.originNs, begin});
        for (std::size_t at = 0; at < count; at += 100) {
            recorder.onEvent({begin.originNs, SamplesTaken{samples(100, at)}});
            recorder.onEvent({begin.originNs, LogText{LogStream::Stdout, std::to_string(at) + "\n"}});
            recorder.onEvent({begin.originNs, StateChanged{TrialState::Loading}});
            recorder.flush();
        }
        recorder.onEvent({begin.originNs, RunFinished{finished(begin)}});
        recorder.flush();
        if (recorder.error())
            return stop(recorder.error());
        print(begin.identity.uuid);
    }
    return 0;
}

int closeLost(const std::string& database, const std::string& bootId)
{
    while (!waitForEnd(1000)) { }
    Result<RunStore> store = RunStore::open(database);
    if (!store)
        return stop(store.error());
    const Result<std::vector<RunResult>> closed = store->closeLostRuns(bootId);
    if (!closed)
        return stop(closed.error());
    for (const RunResult& result : *closed)
        print(result.identity.uuid);
    return 0;
}

} // namespace

int main(int count, char** words)
{
    const std::vector<std::string> arguments(words, words + count);
    if (count == 3 && arguments[2] == "record")
        return record(arguments[1]);
    if (count == 5 && arguments[2] == "burst")
        return burst(arguments[1], std::atoi(words[3]), static_cast<std::size_t>(std::atoll(words[4])));
    if (count == 4 && arguments[2] == "close")
        return closeLost(arguments[1], arguments[3]);
    return 2;
}
