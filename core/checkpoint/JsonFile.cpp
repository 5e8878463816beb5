#include "core/checkpoint/JsonFile.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/LfsPointer.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr std::array<std::string_view, 3> kNonFinite{"-Infinity", "Infinity", "NaN"};

std::size_t nonFiniteAt(std::string_view text, std::size_t at)
{
    for (const std::string_view word : kNonFinite)
        if (text.substr(at, word.size()) == word)
            return word.size();
    return 0;
}

struct Scan {
    int depth = 0; ///< Deepest nesting outside texts.
    bool nonFinite = false;
};

Scan scan(std::string_view text)
{
    Scan result;
    int depth = 0;
    bool inText = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inText) {
            i += c == '\\' ? 1 : 0;
            inText = c != '"';
        } else if (c == '"') {
            inText = true;
        } else if (c == '[' || c == '{') {
            result.depth = std::max(result.depth, ++depth);
        } else if (c == ']' || c == '}') {
            --depth;
        } else if (c == 'N' || c == 'I' || c == '-') {
            result.nonFinite = result.nonFinite || nonFiniteAt(text, i) > 0;
        }
    }
    return result;
}

std::string withoutNonFinite(std::string_view text)
{
    std::string plain;
    plain.reserve(text.size() + 64);
    bool inText = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t word = inText ? 0 : nonFiniteAt(text, i);
        if (word > 0) {
            plain += "null";
            i += word - 1;
            continue;
        }
        plain += text[i];
        if (inText && text[i] == '\\' && i + 1 < text.size())
            plain += text[++i];
        else if (text[i] == '"')
            inText = !inText;
    }
    return plain;
}

/// Reports where the JSON breaks; a text that ends too early is cut, any other is wrong.
class Judge : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit Judge(std::size_t size)
        : m_size(size)
    {
    }
    FileDefect defect;

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t position, const std::string& token, const nlohmann::json::exception&) override
    {
        const bool cut = position > m_size;
        defect.mode = cut ? FailureMode::IncompleteDownload : FailureMode::CorruptFile;
        defect.text = cut ? "cut short: the JSON ends unfinished after " + formatCount(m_size) + " bytes"
                          : "invalid JSON at byte " + std::to_string(position) + ", near '"
                + toUtf8(std::string_view(token).substr(0, 40)) + "'";
        return false;
    }

private:
    std::size_t m_size;
};

FileDefect whyInvalid(const std::string& text)
{
    Judge judge(text.size());
    nlohmann::json::sax_parse(text, &judge);
    if (judge.defect.text.empty())
        judge.defect.text = "invalid JSON";
    return judge.defect;
}

std::optional<FileDefect> defectOfHead(std::string_view head)
{
    if (const std::optional<LfsPointer> pointer = findLfsPointer(head))
        return FileDefect{FailureMode::IncompleteDownload, describe(*pointer), true};
    if (head.find_first_not_of(kSpaces) == std::string_view::npos)
        return FileDefect{FailureMode::IncompleteDownload, "is empty", false};
    if (head.find_first_not_of('\0') == std::string_view::npos)
        return FileDefect{
            FailureMode::IncompleteDownload, "holds only zeros: its room was reserved and never filled", false};
    return std::nullopt;
}

} // namespace

JsonRead parseJsonObject(std::string text)
{
    JsonRead read;
    read.text = text;
    read.defect = defectOfHead(text);
    if (read.defect)
        return read;
    const Scan found = scan(text);
    if (found.depth > kMaxJsonDepth) {
        read.defect = FileDefect{FailureMode::CorruptFile,
            "nested " + formatCount(static_cast<std::uint64_t>(found.depth)) + " levels deep; at most "
                + std::to_string(kMaxJsonDepth) + " are read",
            false};
        return read;
    }
    read.hasNonFinite = found.nonFinite;
    if (found.nonFinite)
        text = withoutNonFinite(text);
    nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
    if (document.is_discarded())
        read.defect = whyInvalid(text);
    else if (!document.is_object())
        read.defect = FileDefect{FailureMode::CorruptFile,
            "holds " + std::string(document.is_array() ? "an array" : std::string("a ") + document.type_name())
                + " where an object belongs",
            false};
    else
        read.document = std::make_shared<const nlohmann::json>(std::move(document));
    return read;
}

Result<JsonRead> readJsonFile(const RegularFile& file, std::uint64_t limitBytes)
{
    if (file.sizeBytes() > limitBytes) {
        JsonRead read;
        read.defect = FileDefect{FailureMode::CorruptFile,
            "has " + formatCount(file.sizeBytes()) + " bytes; at most " + formatCount(limitBytes)
                + " are read of a file of its kind",
            false};
        return read;
    }
    Result<std::string> text = file.readHead(static_cast<std::size_t>(limitBytes));
    if (!text)
        return text.error();
    return parseJsonObject(std::move(*text));
}

Result<std::optional<FileDefect>> checkPointer(const RegularFile& file)
{
    const Result<std::string> head = file.readHead(kLfsPointerBytes);
    if (!head)
        return head.error();
    return defectOfHead(*head);
}

Result<std::optional<FileDefect>> checkJsonEnds(const RegularFile& file)
{
    Result<std::string> head = file.readHead(kLfsPointerBytes);
    if (!head)
        return head.error();
    if (std::optional<FileDefect> defect = defectOfHead(*head))
        return defect;
    std::string_view begin = *head;
    if (begin.starts_with(kByteOrderMark))
        begin.remove_prefix(kByteOrderMark.size());
    const std::size_t first = begin.find_first_not_of(kSpaces);
    if (first == std::string_view::npos || (begin[first] != '{' && begin[first] != '['))
        return std::optional(FileDefect{FailureMode::CorruptFile, "does not begin like JSON", false});
    std::array<char, 64> tail{};
    const std::uint64_t from = file.sizeBytes() - std::min<std::uint64_t>(file.sizeBytes(), tail.size());
    const Result<std::size_t> got = file.read(from, tail);
    if (!got)
        return got.error();
    const std::string_view end(tail.data(), *got);
    const std::size_t last = end.find_last_not_of(kSpaces);
    if (last != std::string_view::npos && end[last] != '}' && end[last] != ']')
        return std::optional(FileDefect{FailureMode::IncompleteDownload,
            "cut short: the JSON ends unfinished after " + formatCount(file.sizeBytes()) + " bytes", false});
    return std::optional<FileDefect>();
}

} // namespace loadlab
