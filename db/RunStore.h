#pragma once

#include "core/Result.h"
#include "core/curve/Sample.h"
#include "core/trial/RunEvent.h"
#include "core/trial/RunResult.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace loadlab {

/// A row of the run list.
struct RunRow {
    RunId run;
    std::string uuid;
    std::optional<FailureMode> mode; ///< Nothing: in progress.
    double confidence = 0;
    std::string checkpointName;
    std::string checkpointPath; ///< UTF-8.
    std::string family;
    Variant variant;
    std::chrono::system_clock::time_point startedUtc;
    std::chrono::nanoseconds duration {};
    std::uint64_t peakTreeBytes = 0;
    std::string summary;
    std::vector<float> sparkline; ///< At most 64 values, tree_bytes, for the table; empty while in progress.
};

enum class RunOrder { Newest, Oldest, Model, Mode, Dtype, DeviceMap, Backend, PeakUp, PeakDown, DurationUp, DurationDown };

struct RunFilter {
    std::vector<FailureMode> modes; ///< Empty: all.
    bool onlyFailed = false;
    std::string model; ///< Part of the checkpoint's name; case is ignored. Empty: all.
    std::string dtype;
    std::string deviceMap;
    std::string backend;
    std::optional<std::chrono::system_clock::time_point> since;
    std::string words; ///< Every word must occur in log, verdict, name or path.
    RunOrder order = RunOrder::Newest;
    std::uint64_t limit = 0; ///< 0: all.
    std::uint64_t offset = 0;
};

struct StoredEvent {
    double tS = 0;
    std::string kind;
    std::string json;
};

struct DatabaseCheck {
    bool ok = false;
    int schema = 0;
    std::uint64_t runs = 0;
    std::uint64_t sizeBytes = 0;
    std::vector<std::string> findings; ///< Of integrity_check, foreign_key_check and the store's own rules.
};

/// The run database (docs/SCHEMA.md). One object = one connection = one thread at a time.
/// Errors: Io (full disk, read-only, permission; the message names file, reason and way out), Invalid (no database, somebody
/// else's, newer schema; not one byte of such a file is changed).
class RunStore {
public:
    enum class Mode { ReadWrite, ReadOnly };

    /// Opens or makes the file (and its folder), migrates an older schema. ReadOnly makes nothing: NotFound.
    static Result<RunStore> open(const std::filesystem::path& file, Mode mode = Mode::ReadWrite);
    static Result<RunStore> openInMemory();

    RunStore(RunStore&&) noexcept;
    RunStore& operator=(RunStore&&) noexcept;
    ~RunStore();

    // Recording. Each call is one transaction unless inside begin()/commit().
    Result<RunId> startRun(const RunStarted& started);
    Result<void> begin();
    Result<void> commit();
    Result<void> addEvent(RunId run, const RunEvent& event, std::int64_t originNs);
    Result<void> addSamples(RunId run, std::span<const Sample> samples);
    Result<void> addLog(RunId run, LogStream stream, double tS, std::string_view bytes);
    Result<void> finishRun(RunId run, const RunResult& result);

    /// Closes every run left open by a lab that no longer lives, as lab_lost or host_lost (other boot id). Returns them
    /// with their uuids, so that the caller can end what is left of their processes. Never touches a run whose lab lives.
    Result<std::vector<RunResult>> closeLostRuns(const std::string& bootId);

    // Reading.
    Result<std::vector<RunRow>> runs(const RunFilter& filter = {}) const;
    Result<std::uint64_t> countRuns(const RunFilter& filter = {}) const;
    /// "12", "last", "last:failed".
    Result<RunId> findRun(std::string_view word) const;
    Result<RunResult> run(RunId run) const;
    Result<Curve> curve(RunId run) const;
    Result<std::vector<StoredEvent>> events(RunId run) const;
    /// The log as lines, UTF-8; gaps are marked by a line of their own.
    Result<std::vector<std::string>> logLines(RunId run) const;

    // Upkeep.
    Result<DatabaseCheck> check() const;
    Result<void> backupTo(const std::filesystem::path& file) const;
    [[nodiscard]] const std::filesystem::path& file() const;

private:
    struct State;
    explicit RunStore(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
