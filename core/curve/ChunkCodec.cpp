#include "core/curve/ChunkCodec.h"

#include "core/curve/ColumnStream.h"

#include <algorithm>
#include <array>
#include <memory>
#include <zstd.h>

namespace loadlab {
namespace {

constexpr char kFormat = 1;
constexpr int kLevel = 3;

Error invalid(std::string_view what)
{
    return {ErrorKind::Invalid, "sample chunk: " + std::string(what)};
}

struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::string compress(std::string_view payload)
{
    static thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    std::string blob(1 + ZSTD_compressBound(payload.size()), kFormat);
    const auto size = ZSTD_compress2(context.get(), blob.data() + 1, blob.size() - 1, payload.data(), payload.size());
    if (ZSTD_isError(size))
        return {};
    blob.resize(1 + size);
    return blob;
}

/// The most that a payload with this beginning can be: ten bytes for each time and value, one for each run, and room
/// for the rest.
std::size_t largestPayload(std::string_view beginning)
{
    const auto count = stream::Reader(beginning).varint().value_or(0);
    return std::min<std::uint64_t>(count, kMaxChunkSamples) * (kColumnCount + 1) * 11 + 4096;
}

/// Piece by piece, so that a few bytes that claim a huge content take no memory for it.
Result<std::string> decompress(std::string_view frame)
{
    static thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
    ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
    ZSTD_inBuffer in{frame.data(), frame.size(), 0};
    std::string payload;
    std::string piece(ZSTD_DStreamOutSize(), '\0');
    for (std::size_t wanted = 1; wanted != 0;) {
        ZSTD_outBuffer out{piece.data(), piece.size(), 0};
        const auto readBefore = in.pos;
        wanted = ZSTD_decompressStream(context.get(), &out, &in);
        if (ZSTD_isError(wanted))
            return invalid(std::string("damaged (") + ZSTD_getErrorName(wanted) + ")");
        payload.append(piece.data(), out.pos);
        if (payload.size() > largestPayload(payload))
            return invalid("larger than any chunk may be");
        if (wanted != 0 && out.pos == 0 && in.pos == readBefore)
            return invalid("cut short");
    }
    if (in.pos != in.size)
        return invalid("bytes behind its end");
    return payload;
}

/// What a column is foretold to be from columns before it, for the samples that have it; empty where nothing is.
std::vector<std::int64_t> foretold(std::span<const Sample> samples, Column column)
{
    std::array<Column, 3> summands{};
    if (column == Column::TreeBytes)
        summands = {Column::AnonBytes, Column::ShmemBytes, Column::SwapBytes};
    else if (column == Column::RssBytes)
        summands = {Column::AnonBytes, Column::FileBytes, Column::ShmemBytes};
    else
        return {};
    std::vector<std::int64_t> sums;
    sums.reserve(samples.size());
    for (const auto& sample : samples) {
        if (!sample.has(column))
            continue;
        std::uint64_t sum = 0;
        for (const auto summand : summands)
            sum += sample.has(summand) ? static_cast<std::uint64_t>(sample[summand]) : 0;
        sums.push_back(static_cast<std::int64_t>(sum));
    }
    return sums;
}

void appendColumn(std::string& payload, std::span<const Sample> samples, Column column)
{
    std::vector<std::int64_t> values;
    values.reserve(samples.size());
    stream::RunLengths present(payload);
    for (const auto& sample : samples) {
        present.add(sample.has(column));
        if (sample.has(column))
            values.push_back(sample[column]);
    }
    present.end();
    stream::appendValues(payload, values, foretold(samples, column));
}

std::uint64_t maskOf(std::span<const Sample> samples)
{
    std::uint64_t mask = 0;
    for (const auto& sample : samples)
        for (std::size_t i = 0; i < kColumnCount; ++i)
            if (sample.values[i] != kAbsent)
                mask |= std::uint64_t{1} << i;
    return mask;
}

/// Calls for every sample of the runs of present values.
template <typename Each> void eachPresent(std::span<const std::size_t> runs, std::span<Sample> samples, Each each)
{
    std::size_t at = 0;
    for (std::size_t run = 0; run < runs.size(); ++run) {
        if (run % 2 == 0)
            for (Sample& sample : samples.subspan(at, runs[run]))
                each(sample);
        at += runs[run];
    }
}

bool readColumn(stream::Reader& in, std::span<Sample> samples, Column column)
{
    const auto runs = stream::readRuns(in, samples.size());
    if (!runs)
        return false;
    std::size_t count = 0;
    for (std::size_t run = 0; run < runs->size(); run += 2)
        count += (*runs)[run];
    const auto values = stream::readValues(in, count, [&] {
        eachPresent(*runs, samples, [column](Sample& sample) { sample[column] = 0; });
        auto sums = foretold(samples, column);
        return sums.empty() ? std::vector<std::int64_t>(count) : sums;
    });
    if (!values)
        return false;
    auto next = values->begin();
    eachPresent(*runs, samples, [&](Sample& sample) { sample[column] = *next++; });
    return true;
}

Result<std::vector<Sample>> readPayload(std::string_view payload)
{
    stream::Reader in(payload);
    const auto count = in.varint();
    if (!count || *count > kMaxChunkSamples)
        return invalid("claims more samples than a chunk may hold");
    if (*count == 0)
        return std::vector<Sample>{};
    const auto times = stream::readValues(in, static_cast<std::size_t>(*count),
        [&] { return std::vector<std::int64_t>(static_cast<std::size_t>(*count)); });
    const auto mask = in.varint();
    if (!times || !mask)
        return invalid("ends within its times");
    if (*mask >> kColumnCount != 0)
        return invalid("holds columns of a newer LoadLab; open it with that version");
    std::vector<Sample> samples(times->size());
    for (std::size_t i = 0; i < samples.size(); ++i)
        samples[i].monotonicNs = (*times)[i];
    for (std::size_t i = 0; i < kColumnCount; ++i) {
        const auto column = static_cast<Column>(i);
        if ((*mask >> i & 1) != 0 && !readColumn(in, samples, column))
            return invalid("ends within column " + std::string(toWireName(column)));
    }
    if (in.left() != 0)
        return invalid("holds bytes that belong to nothing");
    return samples;
}

} // namespace

std::string encodeChunk(std::span<const Sample> samples)
{
    static_assert(kColumnCount < 64, "the column mask is one 64-bit varint");
    assert(samples.size() <= kMaxChunkSamples);
    if (samples.size() > kMaxChunkSamples)
        return {};
    std::string payload;
    stream::appendVarint(payload, samples.size());
    if (samples.empty())
        return compress(payload);
    std::vector<std::int64_t> times;
    times.reserve(samples.size());
    for (const auto& sample : samples)
        times.push_back(sample.monotonicNs);
    stream::appendValues(payload, times, {});
    const auto mask = maskOf(samples);
    stream::appendVarint(payload, mask);
    for (std::size_t i = 0; i < kColumnCount; ++i)
        if ((mask >> i & 1) != 0)
            appendColumn(payload, samples, static_cast<Column>(i));
    return compress(payload);
}

Result<std::vector<Sample>> decodeChunk(std::string_view blob)
{
    if (blob.empty())
        return invalid("empty");
    if (blob.front() != kFormat)
        return invalid("format " + std::to_string(static_cast<unsigned char>(blob.front()))
            + " is not known here; a newer LoadLab wrote it, open it with that version");
    auto payload = decompress(blob.substr(1));
    if (!payload)
        return std::move(payload).error();
    return readPayload(*payload);
}

} // namespace loadlab
