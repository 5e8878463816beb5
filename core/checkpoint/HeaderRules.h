#pragma once

#include "core/checkpoint/HeaderText.h"

#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// Defects of one file, each rule with its own message; at most kShown of them are spelled out, the rest is counted.
class DefectList {
public:
    static constexpr std::size_t kShown = 20;

    void add(FailureMode mode, std::string text, bool tolerated = false);
    /// The list, with a last line "and N more" where there were more. The object is spent afterwards.
    std::vector<HeaderDefect> take();

private:
    std::vector<HeaderDefect> m_shown;
    std::size_t m_more = 0;
    bool m_moreIsBad = false;
};

/// Bytes of dtype and shape. Errors: overflow, or a total of bits that makes no whole byte.
Result<std::uint64_t> bytesOf(const HeaderEntry& entry);

/// Keeps of several entries with one name the last, as readers do, and reports the rest (tolerated).
void dropDuplicates(std::vector<HeaderEntry>& entries, DefectList& defects);

/// The rules on places, in the order of MODEL_FACTS 5.1: the entries (sorted here by place) tile the data buffer, each
/// is as long as dtype and shape say, and the last ends where the file does.
void checkPlaces(
    std::vector<HeaderEntry>& entries, std::uint64_t dataOffset, std::uint64_t fileBytes, DefectList& defects);

/// What the format allows, worth a word: unaligned data, no metadata, odd names.
std::vector<std::string> remarksOn(const HeaderText& text, std::uint64_t dataOffset);

} // namespace loadlab
