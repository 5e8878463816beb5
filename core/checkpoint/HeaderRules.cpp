#include "core/checkpoint/HeaderRules.h"

#include "core/Units.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace loadlab {
namespace {

std::string subject(const HeaderEntry& entry)
{
    return "tensor " + inQuotes(entry.nameView());
}

std::string range(const HeaderEntry& entry)
{
    return "[" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]";
}

std::string typed(const HeaderEntry& entry)
{
    return std::string(toHeaderName(entry.dtype)) + " " + toText(entry.shapeView());
}

void checkSize(const HeaderEntry& entry, DefectList& defects)
{
    const Result<std::uint64_t> bytes = bytesOf(entry);
    if (!bytes)
        defects.add(FailureMode::CorruptFile, subject(entry) + ": " + bytes.error().message);
    else if (*bytes != entry.end - entry.begin)
        defects.add(FailureMode::CorruptFile,
            subject(entry) + ": " + typed(entry) + " takes " + formatCount(*bytes) + " bytes, data_offsets "
                + range(entry) + " hold " + formatCount(entry.end - entry.begin));
}

/// Where the entry begins, against the end of what came before.
void checkBegin(const HeaderEntry& entry, const HeaderEntry* before, std::uint64_t cursor, DefectList& defects)
{
    if (entry.begin == cursor)
        return;
    if (before == nullptr) {
        defects.add(FailureMode::CorruptFile,
            subject(entry) + ": the first tensor begins at byte " + std::to_string(entry.begin)
                + " of the data instead of 0");
    } else if (entry.begin > cursor) {
        defects.add(FailureMode::CorruptFile,
            "hole of " + formatCount(entry.begin - cursor) + " bytes between " + subject(*before) + ", which ends at "
                + std::to_string(cursor) + ", and " + subject(entry) + ", which begins at "
                + std::to_string(entry.begin));
    } else if (entry.begin == entry.end) {
        defects.add(FailureMode::CorruptFile,
            subject(entry) + " with data_offsets " + range(entry) + " lies inside " + subject(*before) + " with "
                + range(*before));
    } else {
        defects.add(FailureMode::CorruptFile,
            subject(entry) + " with data_offsets " + range(entry) + " overlaps " + subject(*before) + " with "
                + range(*before) + " by " + formatCount(std::min(cursor, entry.end) - entry.begin) + " bytes");
    }
}

/// The end of the last tensor against the end of the file.
void checkCoverage(const std::vector<HeaderEntry>& entries, std::uint64_t cursor, std::uint64_t dataOffset,
    std::uint64_t fileBytes, DefectList& defects)
{
    const std::uint64_t dataBytes = fileBytes - dataOffset;
    if (cursor < dataBytes) {
        defects.add(FailureMode::CorruptFile,
            formatCount(dataBytes - cursor) + " bytes after the last tensor: the header covers "
                + formatCount(dataOffset + cursor) + " bytes, the file has " + formatCount(fileBytes));
        return;
    }
    if (cursor == dataBytes)
        return;
    const auto cut
        = std::find_if(entries.begin(), entries.end(), [&](const HeaderEntry& e) { return e.end > dataBytes; });
    const std::string where
        = cut == entries.end() ? "" : "; the first tensor that is not whole is " + inQuotes(cut->nameView());
    if (cursor > std::numeric_limits<std::uint64_t>::max() - dataOffset)
        defects.add(FailureMode::CorruptFile, "data_offsets reach beyond any file" + where);
    else
        defects.add(FailureMode::IncompleteDownload,
            "cut short: the header covers " + formatCount(dataOffset + cursor) + " bytes, the file has "
                + formatCount(fileBytes) + " (" + formatCount(cursor - dataBytes) + " are missing)" + where);
}

std::uint64_t hashOf(std::string_view name)
{
    return std::hash<std::string_view>{}(name);
}

bool isOdd(std::string_view name)
{
    return name.empty() || std::any_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
    });
}

} // namespace

void DefectList::add(FailureMode mode, std::string text, bool tolerated)
{
    if (m_shown.size() < kShown) {
        m_shown.push_back({mode, std::move(text), tolerated});
        return;
    }
    ++m_more;
    m_moreIsBad = m_moreIsBad || !tolerated;
}

std::vector<HeaderDefect> DefectList::take()
{
    if (m_more > 0)
        m_shown.push_back(
            {FailureMode::CorruptFile, "and " + formatCount(m_more) + " more defects of this header", !m_moreIsBad});
    return std::move(m_shown);
}

Result<std::uint64_t> bytesOf(const HeaderEntry& entry)
{
    std::uint64_t bits = 1; // the elements first: a 0 anywhere in the shape keeps the type's bits from overflowing
    bool overflow = false;
    for (const std::uint64_t dimension : entry.shapeView())
        overflow = __builtin_mul_overflow(bits, dimension, &bits) || overflow;
    if (overflow || __builtin_mul_overflow(bits, std::uint64_t{bitsOf(entry.dtype)}, &bits))
        return Error{ErrorKind::Invalid, "the size of " + typed(entry) + " overflows 64 bits"};
    if (bits % 8 != 0)
        return Error{ErrorKind::Invalid,
            typed(entry) + " makes " + std::to_string(bits) + " bits, which is no whole number of bytes"};
    return bits / 8;
}

void dropDuplicates(std::vector<HeaderEntry>& entries, DefectList& defects)
{
    struct Key {
        std::uint32_t hash;
        std::uint32_t index;
    };
    std::vector<Key> keys(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i)
        keys[i] = {static_cast<std::uint32_t>(hashOf(entries[i].nameView()) >> 32), static_cast<std::uint32_t>(i)};
    std::sort(keys.begin(), keys.end(), [&entries](const Key& a, const Key& b) {
        if (a.hash != b.hash)
            return a.hash < b.hash;
        const int order = entries[a.index].nameView().compare(entries[b.index].nameView());
        return order != 0 ? order < 0 : a.index < b.index;
    });
    std::vector<std::uint32_t> dropped;
    for (std::size_t i = 0; i + 1 < keys.size(); ++i)
        if (keys[i].hash == keys[i + 1].hash
            && entries[keys[i].index].nameView() == entries[keys[i + 1].index].nameView())
            dropped.push_back(keys[i].index);
    std::sort(dropped.begin(), dropped.end());
    for (const std::uint32_t index : dropped) {
        defects.add(FailureMode::CorruptFile,
            subject(entries[index]) + " is given more than once in the header; readers take the last", true);
        entries[index].name = nullptr;
    }
    if (!dropped.empty())
        std::erase_if(entries, [](const HeaderEntry& entry) { return entry.name == nullptr; });
}

void checkPlaces(
    std::vector<HeaderEntry>& entries, std::uint64_t dataOffset, std::uint64_t fileBytes, DefectList& defects)
{
    std::sort(entries.begin(), entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t cursor = 0;
    const HeaderEntry* before = nullptr;
    for (const HeaderEntry& entry : entries) {
        checkBegin(entry, before, cursor, defects);
        if (entry.end < entry.begin)
            defects.add(FailureMode::CorruptFile, subject(entry) + ": data_offsets " + range(entry) + " run backwards");
        else
            checkSize(entry, defects);
        if (before == nullptr || entry.end >= cursor)
            before = &entry;
        cursor = std::max(cursor, entry.end);
    }
    checkCoverage(entries, cursor, dataOffset, fileBytes, defects);
}

std::vector<std::string> remarksOn(const HeaderText& text, std::uint64_t dataOffset)
{
    std::uint64_t unaligned = 0;
    std::uint64_t odd = 0;
    const HeaderEntry* firstOdd = nullptr;
    for (const HeaderEntry& entry : text.entries) {
        const std::uint64_t itemBytes = std::max<std::uint64_t>(1, bitsOf(entry.dtype) / 8);
        unaligned += entry.begin != entry.end && (dataOffset + entry.begin) % itemBytes != 0 ? 1 : 0;
        if (isOdd(entry.nameView())) {
            ++odd;
            firstOdd = firstOdd == nullptr ? &entry : firstOdd;
        }
    }
    std::vector<std::string> remarks;
    if (unaligned > 0)
        remarks.push_back(formatCount(unaligned) + " of " + formatCount(text.entries.size())
            + " tensors not at a multiple of their element's size: copied, not mapped");
    if (odd > 0)
        remarks.push_back(formatCount(odd, "tensor name") + " empty or with spaces or control characters, first "
            + inQuotes(firstOdd->nameView()));
    const std::string& format = text.metadataFormat;
    if (!format.empty() && format != "pt" && format != "tf" && format != "flax" && format != "mlx")
        remarks.push_back(
            "__metadata__.format is '" + format + "': transformers 4 refuses other words than pt, tf, flax, mlx");
    return remarks;
}

} // namespace loadlab
