#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab::stream {

/// How a value is foretold from what stands before it. The numbers are part of the chunk format.
enum class Predictor : std::uint8_t {
    Previous = 0, ///< The value before.
    Line = 1, ///< The value before plus the last step.
    Given = 2, ///< What the caller foretells, value by value.
};

/// Reads a payload front to back; after the first error everything answers nothing.
class Reader {
public:
    explicit Reader(std::string_view bytes)
        : m_bytes(bytes)
    {
    }
    std::optional<std::uint64_t> varint(); ///< LEB128, at most ten bytes.
    bool varints(std::span<std::int64_t> into); ///< As many as there is room for; else false.
    [[nodiscard]] std::size_t left() const { return m_bytes.size(); }

private:
    std::string_view m_bytes;
};

void appendVarint(std::string& out, std::uint64_t value);

/// The values as residuals against the predictor that seems cheapest: predictor, unit, then one zigzag varint each;
/// every residual but the first is divided by the unit, their greatest common divisor (pages, KiB, whole microseconds).
/// Arithmetic wraps modulo 2^64: any values survive. `given` is empty or as long as `values`.
void appendValues(std::string& out, std::span<const std::int64_t> values, std::span<const std::int64_t> given);
/// `count` values; nothing when the bytes end early or hold an unknown predictor. `given` is called when it is needed.
template <typename Given>
std::optional<std::vector<std::int64_t>> readValues(Reader& in, std::size_t count, Given&& given);

/// Presence as run lengths, beginning with a run of present values (which may be 0 long).
class RunLengths {
public:
    explicit RunLengths(std::string& out)
        : m_out(out)
    {
    }
    void add(bool present);
    void end(); ///< After the last one.

private:
    std::string& m_out;
    bool m_now = true;
    std::uint64_t m_length = 0;
};
/// The lengths, alternating in the same way; nothing unless they make up `count`.
std::optional<std::vector<std::size_t>> readRuns(Reader& in, std::size_t count);

std::optional<std::vector<std::int64_t>> readResiduals(Reader& in, std::size_t count, Predictor& predictor);
void addPredictions(std::span<std::int64_t> values, Predictor predictor, std::span<const std::int64_t> given);

template <typename Given>
std::optional<std::vector<std::int64_t>> readValues(Reader& in, std::size_t count, Given&& given)
{
    Predictor predictor{};
    auto values = readResiduals(in, count, predictor);
    if (!values)
        return std::nullopt;
    if (predictor == Predictor::Given) {
        const std::vector<std::int64_t> foretold = given();
        if (foretold.size() != values->size())
            return std::nullopt;
        addPredictions(*values, predictor, foretold);
    } else {
        addPredictions(*values, predictor, {});
    }
    return values;
}

} // namespace loadlab::stream
