#pragma once

#include "core/Result.h"
#include "core/trial/RunEvent.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace loadlab {

struct RecorderOptions {
    std::chrono::milliseconds commitEvery {1000};
    std::uint64_t logLimitBytes = std::uint64_t {16} << 20; ///< Head and tail are kept, the gap is marked.
};

/// Listener that writes a run's events to the database on a thread of its own: at most one commit a second, the start and
/// the end at once. A full disk or a lost file never stops the run: the first error is kept, the rest is dropped.
class RunRecorder {
public:
    explicit RunRecorder(std::filesystem::path database, RecorderOptions options = {});
    ~RunRecorder(); ///< Writes what is queued.

    /// Any thread; returns at once. Events of one run, in order.
    void onEvent(const RunEvent& event);
    /// Blocks until everything so far is committed or failed.
    void flush();
    /// The run's number, as soon as the start is written.
    [[nodiscard]] std::optional<RunId> run() const;
    [[nodiscard]] std::optional<Error> error() const;
    /// Called on the recorder's thread after each commit.
    void onCommitted(std::function<void(RunId)> callback);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
