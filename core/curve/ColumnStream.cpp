#include "core/curve/ColumnStream.h"

#include <algorithm>
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

template <Predictor predictor>
std::uint64_t foretell(std::span<const std::int64_t> values, std::size_t i, std::span<const std::int64_t> given)
{
    if constexpr (predictor == Predictor::Given)
        return bitsOf(given[i]);
    if (i == 0)
        return 0;
    const auto previous = bitsOf(values[i - 1]);
    if (predictor == Predictor::Previous || i == 1)
        return previous;
    return previous + (previous - bitsOf(values[i - 2]));
}

/// Hands each(i, what value i is foretold to be) on; the values before i must be known by then.
template <typename Each>
void foretellAll(
    std::span<const std::int64_t> values, Predictor predictor, std::span<const std::int64_t> given, Each each)
{
    const auto all = [&]<Predictor which>() {
        for (std::size_t i = 0; i < values.size(); ++i)
            each(i, foretell<which>(values, i, given));
    };
    switch (predictor) {
    case Predictor::Previous:
        return all.template operator()<Predictor::Previous>();
    case Predictor::Line:
        return all.template operator()<Predictor::Line>();
    case Predictor::Given:
        return all.template operator()<Predictor::Given>();
    }
}

/// By the bits that the residuals would take, before any unit.
Predictor cheapest(std::span<const std::int64_t> values, std::span<const std::int64_t> given)
{
    std::uint64_t previousBits = 0;
    std::uint64_t lineBits = 0;
    std::uint64_t givenBits = 0;
    std::uint64_t before = 0;
    std::uint64_t lastStep = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = bitsOf(values[i]);
        const auto step = value - before;
        previousBits += static_cast<std::uint64_t>(std::bit_width(toZigzag(signedOf(step))));
        lineBits += static_cast<std::uint64_t>(std::bit_width(toZigzag(signedOf(i < 2 ? step : step - lastStep))));
        if (!given.empty())
            givenBits += static_cast<std::uint64_t>(std::bit_width(toZigzag(signedOf(value - bitsOf(given[i])))));
        before = value;
        lastStep = step;
    }
    if (!given.empty() && givenBits < std::min(previousBits, lineBits))
        return Predictor::Given;
    return lineBits < previousBits ? Predictor::Line : Predictor::Previous;
}

/// Greatest common divisor of many numbers. Power of two and odd part by themselves: the latter soon is 1, and then
/// nothing has to be divided any more.
class CommonDivisor {
public:
    void add(std::uint64_t number)
    {
        if (number == 0)
            return;
        const int zeros = std::countr_zero(number);
        m_zeros = std::min(m_zeros, zeros);
        if (m_odd != 1)
            m_odd = std::gcd(m_odd, number >> zeros);
    }
    /// 1 when there was no number but 0.
    [[nodiscard]] std::uint64_t value() const { return m_odd == 0 ? 1 : m_odd << m_zeros; }
    [[nodiscard]] std::int64_t divide(std::int64_t number) const
    {
        if (m_odd == 0)
            return number;
        const auto shifted = magnitude(number) >> m_zeros;
        const auto units = m_odd == 1 ? shifted : shifted / m_odd;
        return signedOf(number < 0 ? 0 - units : units);
    }

private:
    int m_zeros = 63;
    std::uint64_t m_odd = 0;
};

char* putVarint(char* out, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = static_cast<char>((value & 0x7F) | 0x80);
    *out++ = static_cast<char>(value);
    return out;
}

} // namespace

bool Reader::varints(std::span<std::int64_t> into)
{
    const char* at = m_bytes.data();
    const char* const end = at + m_bytes.size();
    for (auto& value : into) {
        std::uint64_t bits = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (at == end || shift >= 7 * kMaxVarintBytes) {
                m_bytes = {};
                return false;
            }
            const auto byte = static_cast<unsigned char>(*at++);
            bits |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if (byte < 0x80)
                break;
        }
        value = signedOf(bits);
    }
    m_bytes.remove_prefix(static_cast<std::size_t>(at - m_bytes.data()));
    return true;
}

std::optional<std::uint64_t> Reader::varint()
{
    std::int64_t value = 0;
    return varints({&value, 1}) ? std::optional(bitsOf(value)) : std::nullopt;
}

void appendVarint(std::string& out, std::uint64_t value)
{
    std::array<char, kMaxVarintBytes> bytes{};
    out.append(bytes.data(), putVarint(bytes.data(), value));
}

void appendValues(std::string& out, std::span<const std::int64_t> values, std::span<const std::int64_t> given)
{
    const Predictor predictor = cheapest(values, given);
    std::vector<std::int64_t> residuals(values.size());
    CommonDivisor unit;
    foretellAll(values, predictor, given, [&](std::size_t i, std::uint64_t foretold) {
        residuals[i] = signedOf(bitsOf(values[i]) - foretold);
        if (i > 0)
            unit.add(magnitude(residuals[i]));
    });
    out.push_back(static_cast<char>(predictor));
    appendVarint(out, unit.value());
    const std::size_t before = out.size();
    out.resize(before + values.size() * kMaxVarintBytes);
    char* end = out.data() + before;
    for (std::size_t i = 0; i < residuals.size(); ++i)
        end = putVarint(end, toZigzag(i == 0 ? residuals[i] : unit.divide(residuals[i])));
    out.resize(static_cast<std::size_t>(end - out.data()));
}

std::optional<std::vector<std::int64_t>> readResiduals(Reader& in, std::size_t count, Predictor& predictor)
{
    const auto number = in.varint();
    const auto unit = in.varint();
    if (!number || *number > static_cast<std::uint64_t>(Predictor::Given) || !unit || in.left() < count)
        return std::nullopt;
    predictor = static_cast<Predictor>(*number);
    std::vector<std::int64_t> values(count);
    if (!in.varints(values))
        return std::nullopt;
    for (std::size_t i = 0; i < count; ++i)
        values[i] = signedOf(bitsOf(fromZigzag(bitsOf(values[i]))) * (i == 0 ? 1 : *unit));
    return values;
}

void addPredictions(std::span<std::int64_t> values, Predictor predictor, std::span<const std::int64_t> given)
{
    foretellAll(values, predictor, given,
        [values](std::size_t i, std::uint64_t foretold) { values[i] = signedOf(bitsOf(values[i]) + foretold); });
}

void RunLengths::add(bool present)
{
    if (present != m_now) {
        end();
        m_length = 0;
        m_now = present;
    }
    ++m_length;
}

void RunLengths::end()
{
    appendVarint(m_out, m_length);
}

std::optional<std::vector<std::size_t>> readRuns(Reader& in, std::size_t count)
{
    std::vector<std::size_t> lengths;
    for (std::size_t told = 0; lengths.empty() || told < count; told += lengths.back()) {
        const auto length = in.varint();
        if (!length || *length > count - told || (*length == 0 && !lengths.empty()))
            return std::nullopt;
        lengths.push_back(static_cast<std::size_t>(*length));
    }
    return lengths;
}

} // namespace loadlab::stream
