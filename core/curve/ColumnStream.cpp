#include "core/curve/ColumnStream.h"

#include <array>
#include <bit>
#include <numeric>

namespace loadlab::stream {
namespace {

constexpr std::size_t kMaxVarintBytes = 10;

std::uint64_t bitsOf(std::int64_t value)
{
    return static_cast<std::uint64_t>(value);
}

std::int64_t signedOf(std::uint64_t bits)
{
    return static_cast<std::int64_t>(bits);
}

std::uint64_t magnitude(std::int64_t value)
{
    return value < 0 ? 0 - bitsOf(value) : bitsOf(value);
}

std::uint64_t toZigzag(std::int64_t value)
{
    return (bitsOf(value) << 1) ^ bitsOf(value >> 63);
}

std::int64_t fromZigzag(std::uint64_t bits)
{
    return signedOf((bits >> 1) ^ (0 - (bits & 1)));
}

std::size_t varintBytes(std::uint64_t value)
{
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

std::uint64_t foretell(
    std::span<const std::int64_t> values, std::size_t i, Predictor predictor, std::span<const std::int64_t> given)
{
    if (predictor == Predictor::Given)
        return bitsOf(given[i]);
    if (i == 0)
        return 0;
    const auto previous = bitsOf(values[i - 1]);
    if (predictor == Predictor::Previous || i == 1)
        return previous;
    return previous + (previous - bitsOf(values[i - 2]));
}

struct Residuals {
    Predictor predictor{};
    std::uint64_t unit = 1;
    std::vector<std::int64_t> values; ///< All but the first in units.
    std::size_t sizeBytes = 0;
};

std::int64_t inUnits(std::int64_t value, std::uint64_t unit)
{
    const auto units = magnitude(value) / unit;
    return signedOf(value < 0 ? 0 - units : units);
}

Residuals residualsOf(std::span<const std::int64_t> values, Predictor predictor, std::span<const std::int64_t> given)
{
    Residuals out;
    out.predictor = predictor;
    out.values.reserve(values.size());
    std::uint64_t divisor = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        out.values.push_back(signedOf(bitsOf(values[i]) - foretell(values, i, predictor, given)));
        if (i > 0)
            divisor = std::gcd(divisor, magnitude(out.values.back()));
    }
    out.unit = divisor == 0 ? 1 : divisor;
    for (std::size_t i = 0; i < out.values.size(); ++i) {
        if (i > 0)
            out.values[i] = inUnits(out.values[i], out.unit);
        out.sizeBytes += varintBytes(toZigzag(out.values[i]));
    }
    return out;
}

} // namespace

std::optional<std::uint64_t> Reader::varint()
{
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < kMaxVarintBytes && i < m_bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(m_bytes[i]);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
        if (byte < 0x80) {
            m_bytes.remove_prefix(i + 1);
            return value;
        }
    }
    m_bytes = {};
    return std::nullopt;
}

std::optional<std::int64_t> Reader::zigzag()
{
    const auto bits = varint();
    return bits ? std::optional(fromZigzag(*bits)) : std::nullopt;
}

void appendVarint(std::string& out, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        out.push_back(static_cast<char>((value & 0x7F) | 0x80));
    out.push_back(static_cast<char>(value));
}

void appendZigzag(std::string& out, std::int64_t value)
{
    appendVarint(out, toZigzag(value));
}

void appendValues(std::string& out, std::span<const std::int64_t> values, std::span<const std::int64_t> given)
{
    auto best = residualsOf(values, Predictor::Previous, given);
    const auto consider = [&](Predictor predictor) {
        auto other = residualsOf(values, predictor, given);
        if (other.sizeBytes < best.sizeBytes)
            best = std::move(other);
    };
    consider(Predictor::Line);
    if (given.size() == values.size())
        consider(Predictor::Given);
    out.push_back(static_cast<char>(best.predictor));
    appendVarint(out, best.unit);
    for (const auto residual : best.values)
        appendZigzag(out, residual);
}

std::optional<std::vector<std::int64_t>> readResiduals(Reader& in, std::size_t count, Predictor& predictor)
{
    const auto number = in.varint();
    const auto unit = in.varint();
    if (!number || *number > static_cast<std::uint64_t>(Predictor::Given) || !unit || in.left() < count)
        return std::nullopt;
    predictor = static_cast<Predictor>(*number);
    std::vector<std::int64_t> values;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto residual = in.zigzag();
        if (!residual)
            return std::nullopt;
        values.push_back(i == 0 ? *residual : signedOf(bitsOf(*residual) * *unit));
    }
    return values;
}

void addPredictions(std::span<std::int64_t> values, Predictor predictor, std::span<const std::int64_t> given)
{
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = signedOf(bitsOf(values[i]) + foretell(values, i, predictor, given));
}

void appendRuns(std::string& out, const std::vector<bool>& present)
{
    bool now = true;
    std::uint64_t length = 0;
    for (const bool here : present) {
        if (here != now) {
            appendVarint(out, length);
            length = 0;
            now = here;
        }
        ++length;
    }
    appendVarint(out, length);
}

std::optional<std::vector<bool>> readRuns(Reader& in, std::size_t count)
{
    std::vector<bool> present;
    present.reserve(count);
    for (bool now = true, first = true; first || present.size() < count; now = !now, first = false) {
        const auto length = in.varint();
        if (!length || *length > count - present.size() || (*length == 0 && !first))
            return std::nullopt;
        present.insert(present.end(), static_cast<std::size_t>(*length), now);
    }
    return present;
}

} // namespace loadlab::stream
