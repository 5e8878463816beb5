#pragma once

#include "core/Result.h"
#include "core/curve/Sample.h"
#include "core/trial/RunResult.h"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

namespace loadlab {
namespace sqlite {
class Connection;
}

/// Samples on their way into sample_chunks. While a run is open its newest samples are in small chunks: a commit
/// rewrites at most the last one (up to 128 samples). Whenever 4096 samples have come together they are merged into one
/// large chunk. So every sample is encoded a bounded number of times, however long the run. Inside db/ only.
class SampleWriter {
public:
    static constexpr std::size_t kLargeChunk = 4096;
    static constexpr std::size_t kSmallChunk = 128;

    /// Takes the samples; they reach the database with flush() at the latest.
    Result<void> add(const sqlite::Connection& database, RunId run, std::span<const Sample> samples);
    Result<void> flush(const sqlite::Connection& database);
    /// Merges what is left of the run into one chunk.
    Result<void> close(const sqlite::Connection& database, RunId run);
    /// What was taken since the last commit is void; the database tells where to go on.
    void forget() { m_tails.clear(); }

private:
    struct Tail {
        std::int64_t mergedCount = 0; ///< Samples in large chunks.
        std::size_t liveFrom = 0; ///< Into `samples`: those from here on are in the live chunk, or nowhere yet.
        std::vector<Sample> samples; ///< Behind the large chunks.
        bool changed = false;
    };
    static Result<Tail> load(const sqlite::Connection& database, RunId run);
    static Result<void> write(const sqlite::Connection& database, RunId run, Tail& tail);
    static Result<void> merge(const sqlite::Connection& database, RunId run, Tail& tail, std::size_t count);
    Result<Tail*> tailOf(const sqlite::Connection& database, RunId run);

    std::map<RunId, Tail> m_tails;
};

/// Decodes the chunks of a run in order and hands each over. Invalid names the run and the damaged chunk.
Result<void> forEachChunk(
    const sqlite::Connection& database, RunId run, const std::function<void(std::span<const Sample>)>& take);
/// All samples; the origin is the run's.
Result<Curve> readCurve(const sqlite::Connection& database, RunId run);

/// The highest tree_bytes of each of `cells` equal stretches of time; a stretch without samples repeats the one before.
/// It ends where the load did (endOfLoad()): what its process gave back when it was taken down is not in it. Empty when
/// no sample has tree_bytes.
Result<std::vector<float>> readSparkline(const sqlite::Connection& database, RunId run, std::size_t cells);

} // namespace loadlab
