// What storing runs costs, and finding them again among many. Ratios of one run count, never absolute times.
#include "RunBuilder.h"

#include "db/RunStore.h"

#include <algorithm>
#include <array>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <span>
#include <spawn.h>
#include <sqlite3.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;

namespace {

constexpr std::size_t kLogBytes = 10'000; ///< Of a run.
constexpr std::size_t kCommitSamples = 250; ///< A quarter of a second at 1000 Hz.
constexpr const char* kListWord = "--list";
constexpr Column kStoredColumns[]{Column::AnonBytes, Column::FileBytes, Column::ShmemBytes, Column::SwapBytes,
    Column::TreeBytes, Column::RssBytes, Column::MinorFaults, Column::CpuNs, Column::ReadBytes, Column::Processes,
    Column::SystemAvailableBytes};

template <typename T> T take(Result<T> result)
{
    if (result)
        return *std::move(result);
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::abort();
}
void take(const Result<void>& result)
{
    if (result)
        return;
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::abort();
}

class Folder {
public:
    Folder()
    {
        std::string name = std::filesystem::temp_directory_path() / "loadlab-bench-XXXXXX";
        if (!::mkdtemp(name.data()))
            std::abort();
        m_path = name;
    }
    ~Folder() { std::filesystem::remove_all(m_path); }
    [[nodiscard]] std::filesystem::path file(const char* name) const { return m_path / name; }

private:
    std::filesystem::path m_path;
};

/// A load as it looks: page-sized steps of uneven length, noise in the system's columns, ticks some microseconds late.
std::vector<Sample> likeALoad(std::size_t count)
{
    std::mt19937_64 random(7);
    std::vector<Sample> list = samples(count);
    std::int64_t pages = 0;
    for (Sample& sample : list) {
        pages += static_cast<std::int64_t>(random() % 3000);
        sample.monotonicNs += static_cast<std::int64_t>(random() % 40'000);
        sample[Column::AnonBytes] = sample[Column::TreeBytes] = pages * 4096;
        sample[Column::RssBytes] = (pages + 24'000) * 4096;
        sample[Column::MinorFaults] = pages / 3;
        sample[Column::CpuNs] = (sample.monotonicNs - kOriginNs) / 10'000'000 * 10'000'000;
        sample[Column::ReadBytes] = pages * 2048;
        sample[Column::SystemAvailableBytes]
            = (std::int64_t{22} << 30) - (pages + static_cast<std::int64_t>(random() % 200)) * 4096;
    }
    return list;
}

/// Everything of a run but its curve.
RunId finishedRun(RunStore& store, int number, const std::string& log, std::span<const Sample> curve)
{
    RunStarted begin = started("org/model-" + std::to_string(number % 50));
    begin.startedUtc += std::chrono::minutes(number);
    const RunId run = take(store.startRun(begin));
    take(store.addSamples(run, curve));
    take(store.addLog(run, LogStream::Stderr, 0, log));
    RunResult result = finished(begin, number % 3 == 0 ? FailureMode::Ok : FailureMode::CorruptFile);
    result.curve.peakTreeBytes = static_cast<std::uint64_t>((number * 7919) % 100'003) << 20;
    take(store.finishRun(run, result));
    return run;
}

std::string someLog(int number, std::size_t bytes)
{
    static const char* const kWords[]{"loading", "checkpoint", "shards", "tensor", "layers", "self_attn", "weight",
        "mlp", "UserWarning", "torch", "safetensors", "CUDA", "not", "available", "mapped", "read", "bytes", "from",
        "disk", "model"};
    std::mt19937 random(static_cast<unsigned>(number));
    std::string log;
    while (log.size() < bytes) {
        log += kWords[random() % std::size(kWords)];
        log += random() % 12 == 0 ? "\n" : " ";
        if (random() % 10 == 0)
            log += std::to_string(random() % 10'000) + " ";
    }
    return log + "\nmarker" + std::to_string(number) + "\n";
}

/// LOADLAB_BENCH_RUNS of them (default 10^4), of 1000 ticks each.
int runCount()
{
    const char* asked = std::getenv("LOADLAB_BENCH_RUNS");
    return std::max(500, asked ? std::atoi(asked) : 10'000) / 500 * 500;
}

/// So many runs in one file; made once.
const std::filesystem::path& manyRuns()
{
    static const Folder folder;
    static const std::filesystem::path file = [] {
        std::filesystem::path made = folder.file("many.sqlite");
        RunStore store = take(RunStore::open(made));
        const std::vector<Sample> curve = likeALoad(1000);
        for (int i = 0; i < runCount();) {
            take(store.begin(RunStore::Durability::PageCache));
            for (int k = 0; k < 500; ++k, ++i)
                finishedRun(store, i, someLog(i, kLogBytes), curve);
            take(store.commit());
        }
        return made;
    }();
    return file;
}

struct Inserted {
    double seconds = 0;
    double bytes = 0; ///< Of the file, its log checkpointed.
};

double secondsSince(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// `commitEvery` samples a transaction; one a second at 1000 Hz goes to the disk, as a recorder does it.
Inserted insertOurs(std::span<const Sample> curve, std::size_t commitEvery)
{
    const Folder folder;
    const auto file = folder.file("runs.sqlite");
    Inserted inserted;
    {
        RunStore store = take(RunStore::open(file));
        const auto start = std::chrono::steady_clock::now();
        const RunStarted begin = started();
        const RunId run = take(store.startRun(begin));
        for (std::size_t at = 0; at < curve.size(); at += commitEvery) {
            take(store.begin(at % 1000 == 0 ? RunStore::Durability::Disk : RunStore::Durability::PageCache));
            take(store.addSamples(run, curve.subspan(at, std::min(commitEvery, curve.size() - at))));
            take(store.commit());
        }
        take(store.finishRun(run, finished(begin)));
        inserted.seconds = secondsSince(start);
    }
    inserted.bytes = static_cast<double>(std::filesystem::file_size(file));
    return inserted;
}

/// The usual way: a row for every value, in transactions of the same length.
Inserted insertRows(std::span<const Sample> curve, std::size_t commitEvery)
{
    const Folder folder;
    const auto file = folder.file("rows.sqlite");
    Inserted inserted;
    {
        sqlite3* database = nullptr;
        ::sqlite3_open(file.c_str(), &database);
        ::sqlite3_exec(database,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE s(run INT, c INT, t INT, v INT, "
            "PRIMARY KEY(run, c, t)) WITHOUT ROWID",
            nullptr, nullptr, nullptr);
        const auto start = std::chrono::steady_clock::now();
        sqlite3_stmt* insert = nullptr;
        ::sqlite3_prepare_v2(database, "INSERT INTO s VALUES(1,?,?,?)", -1, &insert, nullptr);
        for (std::size_t at = 0; at < curve.size(); at += commitEvery) {
            ::sqlite3_exec(database, "BEGIN", nullptr, nullptr, nullptr);
            const auto piece = curve.subspan(at, std::min(commitEvery, curve.size() - at));
            for (const Column column : kStoredColumns)
                for (const Sample& sample : piece) {
                    ::sqlite3_bind_int64(insert, 1, static_cast<std::int64_t>(column));
                    ::sqlite3_bind_int64(insert, 2, sample.monotonicNs);
                    ::sqlite3_bind_int64(insert, 3, sample[column]);
                    ::sqlite3_step(insert);
                    ::sqlite3_reset(insert);
                }
            ::sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
        }
        ::sqlite3_finalize(insert);
        inserted.seconds = secondsSince(start);
        ::sqlite3_close(database);
    }
    inserted.bytes = static_cast<double>(std::filesystem::file_size(file));
    return inserted;
}

/// Both ways in turns, best of 7: a curve at once, and while it is recorded.
void insertAgainstRows(benchmark::State& state)
{
    const std::vector<Sample> curve = likeALoad(200'000);
    const auto values = static_cast<double>(curve.size() * std::size(kStoredColumns));
    const auto commitEvery = static_cast<std::size_t>(state.range(0));
    Inserted ours{1e9, 0};
    Inserted rows{1e9, 0};
    for (auto _ : state)
        for (int round = 0; round < 7; ++round) {
            ours = std::min(
                ours, insertOurs(curve, commitEvery), [](auto& a, auto& b) { return a.seconds < b.seconds; });
            rows = std::min(
                rows, insertRows(curve, commitEvery), [](auto& a, auto& b) { return a.seconds < b.seconds; });
        }
    state.counters["rows/ours"] = rows.seconds / ours.seconds;
    state.counters["ours values/s"] = values / ours.seconds;
    state.counters["rows values/s"] = values / rows.seconds;
    state.counters["ours bytes/value"] = ours.bytes / values;
    state.counters["rows bytes/value"] = rows.bytes / values;
}

void readCurve(benchmark::State& state)
{
    const RunStore store = take(RunStore::open(manyRuns(), RunStore::Mode::ReadOnly));
    std::int64_t run = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(take(store.curve({run++ % runCount() + 1})));
}

void listAll(benchmark::State& state)
{
    const RunStore store = take(RunStore::open(manyRuns(), RunStore::Mode::ReadOnly));
    for (auto _ : state)
        benchmark::DoNotOptimize(take(store.runs()));
}

void openAndListTop100ByPeak(benchmark::State& state)
{
    manyRuns();
    for (auto _ : state) {
        const RunStore store = take(RunStore::open(manyRuns(), RunStore::Mode::ReadOnly));
        benchmark::DoNotOptimize(take(store.runs({.order = RunOrder::PeakDown, .limit = 100})));
    }
}

/// The first page of the list and the hundred highest peaks.
void listAndTop100(const std::filesystem::path& file)
{
    const RunStore store = take(RunStore::open(file, RunStore::Mode::ReadOnly));
    benchmark::DoNotOptimize(take(store.runs({.limit = 100})));
    benchmark::DoNotOptimize(take(store.runs({.order = RunOrder::PeakDown, .limit = 100})));
}

/// The same from the start of a process to its end.
void startListTop100(benchmark::State& state)
{
    const std::string file = manyRuns();
    std::string program = "/proc/self/exe";
    std::string word = kListWord;
    std::array<char*, 4> words{program.data(), word.data(), const_cast<char*>(file.c_str()), nullptr};
    for (auto _ : state) {
        pid_t child = -1;
        int status = -1;
        if (::posix_spawn(&child, program.c_str(), nullptr, nullptr, words.data(), environ) != 0
            || ::waitpid(child, &status, 0) != child || status != 0)
            state.SkipWithError("cannot be listed");
    }
    state.counters["runs"] = runCount();
}

void listFailedOfAModel(benchmark::State& state)
{
    const RunStore store = take(RunStore::open(manyRuns(), RunStore::Mode::ReadOnly));
    for (auto _ : state)
        benchmark::DoNotOptimize(take(store.runs({.onlyFailed = true, .model = "model-7", .limit = 100})));
}

void searchARareWord(benchmark::State& state)
{
    const RunStore store = take(RunStore::open(manyRuns(), RunStore::Mode::ReadOnly));
    for (auto _ : state)
        if (take(store.runs({.words = "marker4711"})).empty())
            state.SkipWithError("not found");
}

void searchTwoCommonWords(benchmark::State& state)
{
    const RunStore store = take(RunStore::open(manyRuns(), RunStore::Mode::ReadOnly));
    for (auto _ : state)
        if (take(store.runs({.words = "safetensors shards", .limit = 100})).size() != 100)
            state.SkipWithError("not found");
}

void sizeOfTheIndex(benchmark::State& state)
{
    sqlite3* database = nullptr;
    ::sqlite3_open(manyRuns().c_str(), &database);
    const auto bytesOf = [database](const char* pattern) {
        sqlite3_stmt* query = nullptr;
        ::sqlite3_prepare_v2(database, "SELECT sum(pgsize) FROM dbstat WHERE name LIKE ?", -1, &query, nullptr);
        ::sqlite3_bind_text(query, 1, pattern, -1, SQLITE_STATIC);
        ::sqlite3_step(query);
        const double bytes = ::sqlite3_column_double(query, 0);
        ::sqlite3_finalize(query);
        return bytes;
    };
    const double runs = runCount();
    for (auto _ : state)
        state.counters["index/text"] = bytesOf("run_text%") / (runs * kLogBytes);
    state.counters["log/text"] = bytesOf("log_blocks%") / (runs * kLogBytes);
    state.counters["chunk bytes/value"] = bytesOf("sample_chunks%") / (runs * 1000 * std::size(kStoredColumns));
    state.counters["MB"] = bytesOf("%") / 1e6;
    ::sqlite3_close(database);
}

BENCHMARK(insertAgainstRows)
    ->ArgName("commit")
    ->Arg(200'000)
    ->Arg(kCommitSamples)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);
BENCHMARK(readCurve)->Unit(benchmark::kMicrosecond);
BENCHMARK(listAll)->Unit(benchmark::kMillisecond);
BENCHMARK(startListTop100)->Unit(benchmark::kMillisecond);
BENCHMARK(openAndListTop100ByPeak)->Unit(benchmark::kMillisecond);
BENCHMARK(listFailedOfAModel)->Unit(benchmark::kMillisecond);
BENCHMARK(searchARareWord)->Unit(benchmark::kMillisecond);
BENCHMARK(searchTwoCommonWords)->Unit(benchmark::kMillisecond);
BENCHMARK(sizeOfTheIndex)->Iterations(1)->Unit(benchmark::kMillisecond);

} // namespace

int main(int argc, char** argv)
{
    if (argc == 3 && std::string_view(argv[1]) == kListWord) {
        listAndTop100(argv[2]);
        return 0;
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
