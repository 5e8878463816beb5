#pragma once

#include "core/Result.h"
#include "core/trial/RunEvent.h"
#include "db/RunStore.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace loadlab {

struct RecorderOptions {
    /// To the disk, for a power cut. Start and end go there at once.
    std::chrono::milliseconds commitEvery{1000};
    /// In between, to the system's page cache, for the death of this process: costs no disk access.
    std::chrono::milliseconds writeEvery{250};
    std::uint64_t logLimitBytes = RunStore::kLogLimitBytes; ///< Head and tail are kept, the gap is marked.
    std::chrono::milliseconds patience = RunStore::kPatience; ///< For locks that other programs hold.
};

/// Listener that writes a run's events to the database on a thread of its own. A full disk or a lost file never stops
/// the run: what could not be written waits in bounded memory and is tried again every `commitEvery`, at the end of the
/// run, and when the recorder ends. A database that cannot be used at all (no database, newer schema) is tried once.
///
/// While the disk stalls, log text is given up first (its middle, with the gap marked), then every second sample (of a
/// pair the one with the larger tree_bytes stays), then events; each loss is stored as a `lab` event. Of the worker's
/// progress events four a second are kept, and always the last one.
class RunRecorder {
public:
    explicit RunRecorder(std::filesystem::path database, RecorderOptions options = {});
    ~RunRecorder(); ///< As finish().

    /// Any thread; returns at once. Events of one run, in order.
    void onEvent(const RunEvent& event);
    /// Blocks until everything so far is committed to the disk or its writing has failed.
    void flush();
    /// Nothing more will come: tries a last time to write what is queued. When the end of the run has come and cannot
    /// be stored, what is stored of the run is hidden: no half of a run is left. The run's number, or what keeps it from
    /// being stored.
    Result<RunId> finish();
    /// The run's number, as soon as the start is written.
    [[nodiscard]] std::optional<RunId> run() const;
    /// The first error of those that keep something from being stored; nothing when a later attempt has caught up.
    /// After flush() at the end of a run: the run is not stored as it was.
    [[nodiscard]] std::optional<Error> error() const;
    /// Called on the recorder's thread after each commit. Set before the first event.
    void onCommitted(std::function<void(RunId)> callback);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
