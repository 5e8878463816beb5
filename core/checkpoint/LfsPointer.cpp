#include "core/checkpoint/LfsPointer.h"

#include "core/Text.h"
#include "core/Units.h"

#include <charconv>

namespace loadlab {
namespace {

/// The value of a line "key value" of the pointer.
std::string_view valueOf(std::string_view text, std::string_view key)
{
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        if (line.size() > key.size() && line.substr(0, key.size()) == key && line[key.size()] == ' ')
            return line.substr(key.size() + 1);
        at = end + 1;
    }
    return {};
}

} // namespace

std::optional<LfsPointer> findLfsPointer(std::string_view head)
{
    constexpr std::string_view today = "version https://git-lfs";
    constexpr std::string_view before2015 = "version https://hawser";
    if (head.substr(0, today.size()) != today && head.substr(0, before2015.size()) != before2015)
        return std::nullopt;
    LfsPointer pointer;
    pointer.oid = toUtf8(valueOf(head, "oid"));
    const std::string_view size = valueOf(head, "size");
    std::uint64_t bytes = 0;
    if (!size.empty() && std::from_chars(size.data(), size.data() + size.size(), bytes).ec == std::errc{})
        pointer.sizeBytes = bytes;
    return pointer;
}

std::string describe(const LfsPointer& pointer)
{
    const std::string what = pointer.sizeBytes ? "the " + formatCount(*pointer.sizeBytes) + " bytes that it stands for"
                                               : "the bytes of the file itself";
    return "git-lfs pointer: " + what + " were not fetched (git lfs pull)";
}

} // namespace loadlab
