#include "core/worker/JsonLineReader.h"

#include "core/Text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace loadlab {
using nlohmann::json;
namespace {

constexpr std::size_t kQuotedBytes = 200;
/// Deeper values are refused: writing them out again takes one stack frame a level.
constexpr int kMaxDepth = 64;

bool isBlank(std::string_view line)
{
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

bool isTooDeep(std::string_view line)
{
    int depth = 0;
    bool inText = false;
    for (std::size_t i = 0; i < line.size() && depth <= kMaxDepth; ++i) {
        const char c = line[i];
        if (inText && c == '\\')
            ++i;
        else if (c == '"')
            inText = !inText;
        else if (!inText && (c == '{' || c == '['))
            ++depth;
        else if (!inText && (c == '}' || c == ']'))
            --depth;
    }
    return depth > kMaxDepth;
}

/// The object on this line; a discarded value when it is none.
json parseObject(std::string_view line)
{
    if (isTooDeep(line))
        return json(json::value_t::discarded);
    json value = json::parse(line, nullptr, false);
    return value.is_object() ? value : json(json::value_t::discarded);
}

} // namespace

JsonLineReader::JsonLineReader(std::size_t maxLineBytes)
    : m_maxLineBytes(maxLineBytes)
{
}

JsonLineReader::~JsonLineReader() = default;

Error JsonLineReader::BadLine::error() const
{
    return {ErrorKind::Invalid, why + ": \"" + line + "\""};
}

std::optional<Error> JsonLineReader::nonsense() const
{
    return m_bad ? std::optional(m_bad->error()) : std::nullopt;
}

void JsonLineReader::refuse(std::string_view line, std::string why)
{
    m_bad = BadLine{std::move(why), toUtf8(line.substr(0, kQuotedBytes))};
    m_tail = {};
}

Result<std::vector<json>> JsonLineReader::feed(std::string_view bytes)
{
    if (m_bad)
        return m_bad->error();
    std::vector<json> objects;
    while (!m_bad) {
        const std::size_t newline = bytes.find('\n');
        m_tail.append(bytes.substr(0, std::min(newline, m_maxLineBytes + 1)));
        if (m_tail.size() > m_maxLineBytes) {
            refuse(std::string_view(m_tail).substr(0, m_maxLineBytes),
                "a line of more than " + std::to_string(m_maxLineBytes) + " bytes");
        } else if (newline == std::string_view::npos) {
            break;
        } else {
            takeLine(objects);
            bytes.remove_prefix(newline + 1);
        }
    }
    if (m_bad && objects.empty())
        return m_bad->error();
    return objects;
}

void JsonLineReader::takeLine(std::vector<json>& into)
{
    if (!isBlank(m_tail)) {
        json object = parseObject(m_tail);
        if (object.is_discarded())
            return refuse(m_tail, "a line that is no JSON object");
        into.push_back(std::move(object));
    }
    m_tail.clear();
}

std::optional<JsonLineReader::BadLine> JsonLineReader::unfinished() const
{
    if (m_bad || isBlank(m_tail))
        return m_bad;
    return BadLine{"the output ends inside a line", toUtf8(std::string_view(m_tail).substr(0, kQuotedBytes))};
}

Result<void> JsonLineReader::finish() const
{
    const std::optional<BadLine> end = unfinished();
    return end ? Result<void>(end->error()) : Result<void>();
}

} // namespace loadlab
