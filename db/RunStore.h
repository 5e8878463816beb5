#pragma once

#include "core/Result.h"
#include "core/curve/Sample.h"
#include "core/trial/BootLog.h"
#include "core/trial/RunEvent.h"
#include "core/trial/RunResult.h"
#include "db/RunList.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace loadlab {

struct StoredEvent {
    double tS = 0;
    std::string kind; ///< kindOf(RunEvent)
    std::string json; ///< toJson(RunEvent)
};

struct DatabaseCheck {
    bool ok = false;
    int schema = 0;
    std::uint64_t runs = 0;
    std::uint64_t sizeBytes = 0;
    std::vector<std::string> findings; ///< Of integrity_check, foreign_key_check and the store's own rules.
};

/// The run database (docs/SCHEMA.md). One object = one connection = one thread at a time.
/// Errors: Io (full disk, read-only, permission, locked; the message names file, reason and way out), Invalid (no
/// database, somebody else's, newer schema: not one byte of such a file is changed; damaged content; a call out of
/// order).
class RunStore {
public:
    enum class Mode { ReadWrite, ReadOnly };
    /// How far a commit has to get before it counts.
    enum class Durability {
        Disk, ///< Survives a power cut.
        PageCache ///< Survives the death of this process; a later commit to disk covers it.
    };
    static constexpr std::chrono::milliseconds kPatience{10'000}; ///< For locks that other programs hold.
    static constexpr std::uint64_t kLogLimitBytes = std::uint64_t{16} << 20;

    /// Opens or makes the file (and its folder), migrates an older schema. ReadOnly makes nothing: NotFound.
    static Result<RunStore> open(
        const std::filesystem::path& file, Mode mode = Mode::ReadWrite, std::chrono::milliseconds patience = kPatience);
    static Result<RunStore> openInMemory();

    RunStore(RunStore&&) noexcept;
    RunStore& operator=(RunStore&&) noexcept;
    ~RunStore();

    // Recording. Each call is one transaction unless inside begin()/commit(); a failed call leaves nothing behind. When
    // a call inside begin()/commit() fails, commit() fails too and nothing of the whole stretch is stored.
    Result<RunId> startRun(const RunStarted& started);
    Result<void> begin(Durability durability = Durability::Disk);
    Result<void> commit();
    void rollback(); ///< Ends begin() without storing anything.
    /// Samples and log text go where addSamples() and addLog() put them; run_started and run_finished are passed over.
    Result<void> addEvent(RunId run, const RunEvent& event, std::int64_t originNs);
    Result<void> addSamples(RunId run, std::span<const Sample> samples);
    Result<void> addLog(RunId run, LogStream stream, double tS, std::string_view bytes);
    /// So many bytes of log text were said here and could not be kept: shown as a gap.
    Result<void> addLogGap(RunId run, std::uint64_t bytes);
    void setLogLimit(std::uint64_t bytes); ///< Per run: half of it for the head, the rest for the tail.
    /// Invalid when the run has ended before, or `result` has no verdict or another uuid.
    Result<void> finishRun(RunId run, const RunResult& result);
    /// Hides a run whose end cannot be stored: better none than half of one. Takes next to no room on the disk.
    /// Invalid when it has ended.
    Result<void> takeBack(RunId run);

    /// Closes every run left open by a lab that no longer lives, as lab_lost or host_lost (other boot id). Returns them
    /// with their uuids, so that the caller can end what is left of their processes. Never touches a run whose lab
    /// lives. Of several labs that start at once exactly one gets each run. Where the machine went down it asks the
    /// system's journal and pstore what the kernel said, for 2 s at most.
    Result<std::vector<RunResult>> closeLostRuns(const std::string& bootId, const BootLogPlaces& places = {});

    // Reading. Deleted runs are hidden.
    Result<std::vector<RunRow>> runs(const RunFilter& filter = {}) const;
    Result<std::uint64_t> countRuns(const RunFilter& filter = {}) const; ///< Whatever limit and offset say.
    /// "12", "last", "last:failed", a uuid or the unique beginning of one (8 characters or more).
    Result<RunId> findRun(std::string_view word) const;
    /// Of a run in progress: as far as it is stored, without a verdict.
    Result<RunResult> run(RunId run) const;
    Result<Curve> curve(RunId run) const;
    Result<std::vector<StoredEvent>> events(RunId run) const;
    /// The log as lines, UTF-8; gaps are marked by a line of their own. A line ends at \n, \r\n or \r.
    Result<std::vector<std::string>> logLines(RunId run) const;

    // Upkeep.
    Result<DatabaseCheck> check() const;
    /// A consistent copy, even while others write. Invalid when the target exists: nothing is overwritten. A copy that
    /// fails or is stopped (Cancelled) leaves nothing behind.
    Result<void> backupTo(const std::filesystem::path& file, const std::stop_token& stop = {}) const;
    [[nodiscard]] const std::filesystem::path& file() const; ///< Absolute; empty in memory.

private:
    struct State;
    explicit RunStore(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
