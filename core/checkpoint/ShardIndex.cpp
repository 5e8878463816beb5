#include "core/checkpoint/ShardIndex.h"

#include "core/Units.h"
#include "core/checkpoint/HeaderText.h"
#include "core/checkpoint/LfsPointer.h"

#include <algorithm>
#include <numeric>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <unordered_map>

namespace loadlab {
namespace {

/// Takes the two keys that matter and passes over the rest. Reads in place, like the header's reader.
class IndexEvents : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, IndexEvents> {
public:
    explicit IndexEvents(ShardIndex& into)
        : m_into(into)
    {
    }
    [[nodiscard]] const std::string& reason() const { return m_reason; }
    [[nodiscard]] bool sawMap() const { return m_sawMap; }

    bool Default() { return scalar(); } // null, true, false, negative and fractional numbers
    bool Uint(unsigned number) { return Uint64(number); }
    bool Uint64(std::uint64_t number)
    {
        if (m_depth == 2 && m_where == Where::Metadata && m_key == "total_size")
            m_into.totalSizeBytes = number;
        return scalar();
    }
    bool String(const char* text, rapidjson::SizeType length, bool)
    {
        return m_depth == 2 && m_where == Where::Map ? addEntry({text, length}) : scalar();
    }
    bool Key(const char* text, rapidjson::SizeType length, bool)
    {
        m_key = {text, length};
        if (m_depth == 1)
            m_where = m_key == "weight_map" ? Where::Map : m_key == "metadata" ? Where::Metadata : Where::Elsewhere;
        return true;
    }
    bool StartObject()
    {
        if (m_depth == 1 && m_where == Where::Map)
            m_sawMap = true;
        m_into.hasMetadata = m_into.hasMetadata || (m_depth == 1 && m_where == Where::Metadata);
        return (m_depth < 2 || scalar()) && deeper();
    }
    bool StartArray() { return scalar() && deeper(); }
    bool EndObject(rapidjson::SizeType) { return --m_depth >= 0; }
    bool EndArray(rapidjson::SizeType) { return --m_depth >= 0; }

private:
    enum class Where { Elsewhere, Map, Metadata };

    bool fail(std::string reason)
    {
        m_reason = std::move(reason);
        return false;
    }
    bool deeper()
    {
        return ++m_depth <= kMaxJsonDepth || fail("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    /// Any value that is no text in weight_map and no object at its place.
    bool scalar()
    {
        if (m_depth == 0)
            return fail("holds no object");
        if (m_where == Where::Map && m_depth == 1)
            return fail("weight_map is no object");
        if (m_where == Where::Map && m_depth == 2)
            return fail("weight_map names no file for tensor " + inQuotes(m_key) + ": a text is needed there");
        return true;
    }
    bool addEntry(std::string_view file)
    {
        m_into.entries.push_back({m_key, fileNumber(file)});
        return m_into.files.size() <= kMaxShards || fail("names more than " + formatCount(kMaxShards) + " files");
    }
    std::uint32_t fileNumber(std::string_view name)
    {
        if (m_lastNumber < m_into.files.size() && m_into.files[m_lastNumber] == name)
            return m_lastNumber;
        const auto [at, isNew] = m_numbers.emplace(std::string(name), static_cast<std::uint32_t>(m_into.files.size()));
        if (isNew)
            m_into.files.emplace_back(name);
        return m_lastNumber = at->second;
    }

    ShardIndex& m_into;
    std::unordered_map<std::string, std::uint32_t> m_numbers;
    std::uint32_t m_lastNumber = 0;
    std::string_view m_key;
    Where m_where = Where::Elsewhere;
    int m_depth = 0;
    bool m_sawMap = false;
    std::string m_reason;
};

std::optional<FileDefect> parse(char* text, std::size_t length, ShardIndex& index)
{
    rapidjson::Reader reader;
    IndexEvents events(index);
    rapidjson::InsituStringStream stream(text);
    const rapidjson::ParseResult parsed
        = reader.Parse<rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag>(stream, events);
    if (!events.reason().empty())
        return FileDefect{FailureMode::CorruptFile, events.reason(), false};
    if (parsed.IsError() && parsed.Offset() >= length)
        return FileDefect{FailureMode::IncompleteDownload,
            "cut short: the JSON ends unfinished after " + formatCount(length) + " bytes", false};
    if (parsed.IsError() || stream.Tell() != length)
        return FileDefect{FailureMode::CorruptFile,
            "invalid JSON at byte " + std::to_string(parsed.IsError() ? parsed.Offset() : stream.Tell()) + ": "
                + (parsed.IsError() ? rapidjson::GetParseError_En(parsed.Code()) : "a NUL byte"),
            false};
    if (!events.sawMap())
        return FileDefect{FailureMode::CorruptFile, "lacks weight_map", false};
    if (index.entries.empty())
        return FileDefect{FailureMode::CorruptFile, "weight_map is empty", false};
    return std::nullopt;
}

/// Files in the order of their names, whatever the order in the map.
void sortFiles(ShardIndex& index)
{
    std::vector<std::uint32_t> order(index.files.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(
        order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return index.files[a] < index.files[b]; });
    std::vector<std::uint32_t> placeOf(order.size());
    std::vector<std::string> files;
    for (std::uint32_t place = 0; place < order.size(); ++place) {
        placeOf[order[place]] = place;
        files.push_back(std::move(index.files[order[place]]));
    }
    index.files = std::move(files);
    for (ShardIndex::Entry& entry : index.entries)
        entry.file = placeOf[entry.file];
}

} // namespace

Result<ShardIndex> readShardIndex(const RegularFile& file)
{
    ShardIndex index;
    const Result<std::string> head = file.readHead(kLfsPointerBytes);
    if (!head)
        return head.error();
    if (const std::optional<LfsPointer> pointer = findLfsPointer(*head))
        index.defect = FileDefect{FailureMode::IncompleteDownload, describe(*pointer), true};
    else if (file.sizeBytes() == 0)
        index.defect = FileDefect{FailureMode::IncompleteDownload, "is empty", false};
    else if (file.sizeBytes() > kMaxIndexBytes)
        index.defect = FileDefect{FailureMode::CorruptFile,
            "has " + formatCount(file.sizeBytes()) + " bytes; at most " + formatCount(kMaxIndexBytes)
                + " are read of an index",
            false};
    if (index.defect)
        return index;
    const auto length = static_cast<std::size_t>(file.sizeBytes());
    std::shared_ptr<char[]> text(new char[length + 1]);
    const Result<std::size_t> got = file.read(0, {text.get(), length});
    if (!got)
        return got.error();
    text[*got] = '\0';
    if (const std::optional<std::size_t> bad = findInvalidUtf8({text.get(), *got}))
        index.defect = FileDefect{FailureMode::CorruptFile, "invalid UTF-8 at byte " + std::to_string(*bad), false};
    else
        index.defect = parse(text.get(), *got, index);
    if (index.defect) {
        index.files.clear();
        index.entries.clear();
        return index;
    }
    index.text = std::move(text);
    sortFiles(index);
    return index;
}

} // namespace loadlab
