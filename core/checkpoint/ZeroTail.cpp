#include "core/checkpoint/ZeroTail.h"

#include "core/Units.h"
#include "core/checkpoint/HeaderText.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

constexpr std::uint64_t kPage = 4096;

/// Whether the page at `offset` holds zeros only.
Result<bool> isZeroAt(const RegularFile& file, std::uint64_t offset, std::uint64_t length)
{
    std::array<char, kPage> page{};
    const Result<std::size_t> got = file.read(offset, {page.data(), static_cast<std::size_t>(length)});
    if (!got)
        return got.error();
    return std::all_of(
        page.begin(), page.begin() + static_cast<std::ptrdiff_t>(*got), [](char c) { return c == '\0'; });
}

} // namespace

Result<TailSample> sampleTail(const RegularFile& file, std::uint64_t dataOffset)
{
    TailSample sample;
    const std::uint64_t end = file.sizeBytes();
    if (end <= dataOffset)
        return sample;
    const std::uint64_t dataBytes = end - dataOffset;
    const auto zeroBefore = [&](std::uint64_t distance) { // the page that begins `distance` before the end
        return isZeroAt(file, end - distance, std::min(kPage, distance));
    };
    std::uint64_t zero = 0; // the longest distance that was zero, the shortest that was not
    std::uint64_t other = 0;
    for (std::uint64_t distance = std::min(kPage, dataBytes); other == 0;
         distance = std::min(distance * 2, dataBytes)) {
        const Result<bool> isZero = zeroBefore(distance);
        if (!isZero)
            return isZero.error();
        (*isZero ? zero : other) = distance;
        if (*isZero && distance == dataBytes) {
            sample.isAllZero = true;
            break;
        }
    }
    while (!sample.isAllZero && zero > 0 && other - zero > std::max(kPage, dataBytes / 1024)) {
        const std::uint64_t middle = zero + (other - zero) / 2;
        const Result<bool> isZero = zeroBefore(middle);
        if (!isZero)
            return isZero.error();
        (*isZero ? zero : other) = middle;
    }
    sample.zeroBytes = zero;
    return sample;
}

std::optional<std::string> judgeTail(const TailSample& sample, const SafetensorsHeader& header)
{
    if (sample.isAllZero || sample.zeroBytes < kPage || header.count() == 0 || !header.usable())
        return std::nullopt;
    const std::uint64_t dataBytes = header.fileBytes() - header.dataOffset();
    const std::uint64_t cut = dataBytes - sample.zeroBytes; // about where the zeros begin
    std::size_t index = header.count() - 1;
    while (index > 0 && header.tensor(index).begin >= cut)
        --index;
    const SafetensorsHeader::Tensor tensor = header.tensor(index);
    const std::uint64_t zeroInTensor = tensor.end > cut ? tensor.end - cut : 0;
    const bool inside = zeroInTensor >= kPage && zeroInTensor > tensor.sizeBytes() / 33;
    if (!inside && sample.zeroBytes < dataBytes / 10)
        return std::nullopt;
    return "about the last " + formatCount(sample.zeroBytes) + " of " + formatCount(header.fileBytes())
        + " bytes are zeros (sampled), from about tensor " + inQuotes(tensor.name)
        + " on: the download reserved its room and was not finished";
}

} // namespace loadlab
