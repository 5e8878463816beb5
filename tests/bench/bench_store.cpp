// What storing runs costs, and finding them again among many. Ratios of one run count, never absolute times.
#include "RunBuilder.h"

#include "db/RunStore.h"

#include <benchmark/benchmark.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sqlite3.h>
#include <string>

using namespace loadlab;
using namespace loadlab::test;

namespace {

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

/// 10^4 runs in one file; made once.
const std::filesystem::path& manyRuns()
{
    static const Folder folder;
    static const std::filesystem::path file = [] {
        std::filesystem::path made = folder.file("many.sqlite");
        RunStore store = take(RunStore::open(made));
        const std::vector<Sample> curve = likeALoad(1000);
        for (int i = 0; i < 10'000;) {
            take(store.begin(RunStore::Durability::PageCache));
            for (int k = 0; k < 500; ++k, ++i)
                finishedRun(store, i, someLog(i, 10'000), curve);
            take(store.commit());
        }
        return made;
    }();
    return file;
}

/// As a recorder does it: pieces of a quarter of a second at 1000 Hz, a commit each.
void storeSamples(benchmark::State& state)
{
    const std::vector<Sample> curve = likeALoad(200'000);
    double bytes = 0;
    for (auto _ : state) {
        const Folder folder;
        {
            RunStore store = take(RunStore::open(folder.file("runs.sqlite")));
            const RunStarted begin = started();
            const RunId run = take(store.startRun(begin));
            for (std::size_t at = 0; at < curve.size(); at += 250) {
                take(store.begin(at % 1000 == 0 ? RunStore::Durability::Disk : RunStore::Durability::PageCache));
                take(store.addSamples(run, std::span(curve).subspan(at, 250)));
                take(store.commit());
            }
            take(store.finishRun(run, finished(begin)));
        }
        bytes = static_cast<double>(std::filesystem::file_size(folder.file("runs.sqlite")));
    }
    state.counters["bytes/sample"] = bytes / static_cast<double>(curve.size());
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(curve.size()));
}

/// The usual way: a row per sample and column, in transactions of the same length.
void storeRowPerSample(benchmark::State& state)
{
    const std::vector<Sample> curve = likeALoad(200'000);
    double bytes = 0;
    for (auto _ : state) {
        const Folder folder;
        sqlite3* database = nullptr;
        ::sqlite3_open(folder.file("rows.sqlite").c_str(), &database);
        ::sqlite3_exec(database,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE s(run INT, t INT, a INT, f INT, h "
            "INT, w INT,"
            " g INT, r INT, m INT, c INT, b INT, p INT, v INT, PRIMARY KEY(run, t)) WITHOUT ROWID",
            nullptr, nullptr, nullptr);
        sqlite3_stmt* insert = nullptr;
        ::sqlite3_prepare_v2(database, "INSERT INTO s VALUES(1,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &insert, nullptr);
        constexpr Column kColumns[]{Column::AnonBytes, Column::FileBytes, Column::ShmemBytes, Column::SwapBytes,
            Column::TreeBytes, Column::RssBytes, Column::MinorFaults, Column::CpuNs, Column::ReadBytes,
            Column::Processes, Column::SystemAvailableBytes};
        for (std::size_t at = 0; at < curve.size(); ++at) {
            if (at % 250 == 0)
                ::sqlite3_exec(database, "BEGIN", nullptr, nullptr, nullptr);
            ::sqlite3_bind_int64(insert, 1, curve[at].monotonicNs);
            int parameter = 2;
            for (const Column column : kColumns)
                ::sqlite3_bind_int64(insert, parameter++, curve[at][column]);
            ::sqlite3_step(insert);
            ::sqlite3_reset(insert);
            if (at % 250 == 249)
                ::sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
        }
        ::sqlite3_finalize(insert);
        ::sqlite3_close(database);
        bytes = static_cast<double>(std::filesystem::file_size(folder.file("rows.sqlite")));
    }
    state.counters["bytes/sample"] = bytes / static_cast<double>(curve.size());
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(curve.size()));
}

void readCurve(benchmark::State& state)
{
    const RunStore store = take(RunStore::open(manyRuns(), RunStore::Mode::ReadOnly));
    std::int64_t run = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(take(store.curve({run++ % 10'000 + 1})));
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
        if (take(store.runs({.words = "marker4711"})).size() != 1)
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
    for (auto _ : state)
        state.counters["index/text"] = bytesOf("run_text%") / 1e8;
    state.counters["log/text"] = bytesOf("log_blocks%") / 1e8;
    state.counters["chunks bytes/sample"] = bytesOf("sample_chunks%") / 1e7;
    state.counters["MB"] = bytesOf("%") / 1e6;
    ::sqlite3_close(database);
}

BENCHMARK(storeSamples)->Unit(benchmark::kMillisecond);
BENCHMARK(storeRowPerSample)->Unit(benchmark::kMillisecond);
BENCHMARK(readCurve)->Unit(benchmark::kMicrosecond);
BENCHMARK(listAll)->Unit(benchmark::kMillisecond);
BENCHMARK(openAndListTop100ByPeak)->Unit(benchmark::kMillisecond);
BENCHMARK(listFailedOfAModel)->Unit(benchmark::kMillisecond);
BENCHMARK(searchARareWord)->Unit(benchmark::kMillisecond);
BENCHMARK(searchTwoCommonWords)->Unit(benchmark::kMillisecond);
BENCHMARK(sizeOfTheIndex)->Iterations(1)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
