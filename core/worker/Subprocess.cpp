#include "core/worker/Subprocess.h"

#include "core/Text.h"
#include "core/Units.h"

#include <algorithm>
#include <poll.h>

namespace loadlab {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kLongestWait{100};

void addBounded(std::string& to, std::string_view bytes)
{
    to.append(bytes.substr(0, kMostBytes - std::min(kMostBytes, to.size())));
}

void waitForSomething(const WorkerProcess& process)
{
    std::vector<pollfd> polled;
    for (const WorkerProcess::Wanted& wanted : process.fds())
        polled.push_back({wanted.fd, wanted.events, 0});
    auto wait = kLongestWait;
    if (const auto due = process.nextDue())
        wait = std::clamp(
            std::chrono::ceil<std::chrono::milliseconds>(*due), std::chrono::milliseconds(0), kLongestWait);
    (void)::poll(polled.data(), polled.size(), static_cast<int>(wait.count()));
}

} // namespace

Result<ProgramOutput> runToEnd(WorkerCommand command, std::chrono::milliseconds limit, const std::stop_token& stop)
{
    const std::string name = toUtf8(command.program.string());
    ProgramOutput output;
    WorkerProcess process(std::move(command),
        {.onStdout = [&](std::string_view bytes) { addBounded(output.standardOutput, bytes); },
            .onStderr = [&](std::string_view bytes) { addBounded(output.standardError, bytes); },
            .onEnded = {}});
    if (const Result<void> started = process.start(); !started)
        return started.error();
    process.closeStdin();
    const auto deadline = std::chrono::steady_clock::now() + limit;
    bool late = false;
    while (process.state() != WorkerProcess::State::Ended) {
        if (!late && (stop.stop_requested() || std::chrono::steady_clock::now() >= deadline)) {
            late = true;
            process.kill();
        }
        waitForSomething(process);
        process.pump();
    }
    if (stop.stop_requested())
        return Error{ErrorKind::Cancelled, name + " was stopped"};
    if (late)
        return Error{ErrorKind::Timeout, name + " did not end within " + formatDuration(limit)};
    output.status = process.waitStatus().value_or(WaitStatus());
    return output;
}

} // namespace loadlab
