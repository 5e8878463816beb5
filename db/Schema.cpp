#include "db/Schema.h"

#include "db/Sqlite.h"

#include <array>
#include <string>

namespace loadlab::schema {
namespace {

// JSON columns carry no CHECK: json_valid() may not be used by a schema that is not trusted (see configure() in
// StoreFile.cpp); RunStore::check() looks at them.
// Narrow rows for the list of runs; what only one run's page needs is in run_details. Facts are written once; verdicts
// are rows of their own, so that judging again never touches a fact.
constexpr const char* kFirst = R"sql(
CREATE TABLE machines (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    machine_id TEXT NOT NULL,
    host_name TEXT NOT NULL,
    kernel TEXT NOT NULL,
    distribution TEXT NOT NULL,
    cpu_model TEXT NOT NULL,
    cpu_count INTEGER NOT NULL,
    memory_bytes INTEGER NOT NULL,
    swap_bytes INTEGER NOT NULL,
    gpu TEXT NOT NULL,
    unified_memory INTEGER NOT NULL CHECK (unified_memory IN (0, 1)),
    facts TEXT NOT NULL
) STRICT;

CREATE TABLE checkpoints (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    path_bytes BLOB NOT NULL,
    name TEXT NOT NULL,
    family TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    parameters INTEGER NOT NULL,
    UNIQUE (path_bytes, name, family, fingerprint, size_bytes, parameters)
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL CHECK (origin IN ('own', 'imported', 'notes')),
    machine INTEGER REFERENCES machines (id),
    boot_id TEXT NOT NULL,
    lab_pid INTEGER NOT NULL,
    lab_start_ticks INTEGER NOT NULL,
    checkpoint INTEGER REFERENCES checkpoints (id),
    backend TEXT NOT NULL,
    environment TEXT,
    dtype TEXT NOT NULL,
    device_map TEXT NOT NULL,
    max_memory TEXT,
    options TEXT NOT NULL,
    variant_hash TEXT NOT NULL,
    cap_memory_bytes INTEGER,
    cap_swap_bytes INTEGER,
    timeout_ns INTEGER,
    stall_ns INTEGER,
    sample_hz REAL NOT NULL,
    parent_uuid TEXT,
    remedy_applied TEXT,
    predicted_peak_bytes INTEGER,
    started_utc_ms INTEGER NOT NULL,
    origin_ns INTEGER NOT NULL,
    notes TEXT NOT NULL DEFAULT '',
    deleted_utc_ms INTEGER,
    text_parts INTEGER NOT NULL DEFAULT 0,
    text_done INTEGER NOT NULL DEFAULT 0 CHECK (text_done IN (0, 1)),
    ended_utc_ms INTEGER,
    duration_ns INTEGER,
    exit_code INTEGER,
    exit_signal INTEGER,
    sample_count INTEGER,
    rate_hz REAL,
    peak_tree_bytes INTEGER,
    peak_rss_bytes INTEGER,
    hwm_bytes INTEGER,
    peak_swap_bytes INTEGER,
    peak_gpu_bytes INTEGER,
    baseline_available_bytes INTEGER,
    lowest_available_bytes INTEGER,
    swap_began_s REAL,
    mean_rate_bytes_per_s REAL,
    projected_need_bytes INTEGER,
    missed_ticks INTEGER,
    worst_lateness_ns INTEGER,
    cap_kept_by TEXT,
    containment TEXT,
    sparkline BLOB
) STRICT;
CREATE INDEX runs_by_start ON runs (started_utc_ms);
CREATE INDEX runs_by_peak ON runs (peak_tree_bytes);
CREATE INDEX runs_by_duration ON runs (duration_ns);
CREATE INDEX runs_by_checkpoint ON runs (checkpoint);
CREATE INDEX runs_by_variant ON runs (variant_hash);
CREATE INDEX runs_by_machine ON runs (machine);
CREATE INDEX runs_by_parent ON runs (parent_uuid) WHERE parent_uuid IS NOT NULL;
CREATE INDEX runs_open ON runs (id) WHERE ended_utc_ms IS NULL;
CREATE INDEX runs_without_text ON runs (id) WHERE text_done = 0;

CREATE TABLE run_tags (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (run, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_tags_by_tag ON run_tags (tag);

CREATE TABLE run_details (
    run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    settings TEXT NOT NULL,
    environment TEXT NOT NULL,
    worker_pid INTEGER,
    worker_start_ticks INTEGER,
    worker_command TEXT,
    hello TEXT,
    progress TEXT,
    loaded TEXT,
    facts TEXT,
    counters TEXT
) STRICT;

CREATE TABLE phases (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    from_s REAL NOT NULL,
    to_s REAL,
    rate_bytes_per_s REAL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    current INTEGER NOT NULL CHECK (current IN (0, 1)),
    judged_utc_ms INTEGER NOT NULL,
    judged_by TEXT NOT NULL CHECK (judged_by IN ('lab', 'next_start', 'person')),
    rules_version INTEGER NOT NULL,
    rule TEXT NOT NULL,
    mode TEXT NOT NULL,
    confidence REAL NOT NULL,
    summary TEXT NOT NULL,
    evidence TEXT NOT NULL,
    remedies TEXT NOT NULL,
    UNIQUE (run, version)
) STRICT;
CREATE UNIQUE INDEX verdicts_current ON verdicts (run) WHERE current = 1;
CREATE INDEX verdicts_by_mode ON verdicts (mode, run) WHERE current = 1;

CREATE TABLE events (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    t_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE sample_chunks (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    from_ns INTEGER NOT NULL,
    to_ns INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (run, first)
) STRICT;

CREATE TABLE log_blocks (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    size INTEGER NOT NULL CHECK (size > 0),
    data BLOB NOT NULL,
    UNIQUE (run, at)
) STRICT;

CREATE VIRTUAL TABLE run_text USING fts5 (
    text, content = '', detail = none, columnsize = 0, tokenize = 'unicode61 remove_diacritics 2');
)sql";

constexpr const char* kPhaseErrors = "ALTER TABLE phases ADD COLUMN rate_error_bytes_per_s REAL";

constexpr std::array kMigrations{Migration{1, kFirst}, Migration{2, kPhaseErrors}};

Result<void> apply(const sqlite::Connection& database, const Migration& step)
{
    if (Result<void> begun = database.execute("BEGIN EXCLUSIVE"); !begun)
        return begun;
    const auto version = database.number("PRAGMA user_version");
    Result<void> done = version ? Result<void>() : version.error();
    if (done && *version < step.number) { // else another process was faster
        const std::string marks = "PRAGMA application_id = " + std::to_string(kApplicationId)
            + "; PRAGMA user_version = " + std::to_string(step.number);
        done = database.execute(step.sql);
        if (done)
            done = database.execute(marks.c_str());
    }
    if (done)
        done = database.execute("COMMIT");
    if (!done && database.inTransaction())
        static_cast<void>(database.execute("ROLLBACK"));
    return done;
}

} // namespace

std::span<const Migration> migrations()
{
    return kMigrations;
}

int newest()
{
    return kMigrations.back().number;
}

Result<void> migrate(const sqlite::Connection& database, std::span<const Migration> steps)
{
    const auto version = database.number("PRAGMA user_version");
    if (!version)
        return version.error();
    for (const Migration& step : steps) {
        if (step.number <= *version)
            continue;
        if (Result<void> done = apply(database, step); !done)
            return std::move(done).error().in("bring the database to schema " + std::to_string(step.number));
    }
    return {};
}

} // namespace loadlab::schema
