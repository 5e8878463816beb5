#include "core/checkpoint/HeaderText.h"

#include "core/Text.h"
#include "core/Units.h"

#include <algorithm>
#include <cstring>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

namespace loadlab {
namespace {

// Why rapidjson's reader: it is told in events (no document is built) and works inside the text (no token is copied).
// Measured against nlohmann::json's event reader (g++ 12 -O3, tests/bench/bench_checkpoint.cpp): for a header of 20,046
// tensors nlohmann's takes 16 ms to parse, where reading, parsing, sorting and checking together take 9 ms here; and it
// keeps two copies of the current token, so that a header that is one name of 99 MB made it grow by 3.04 times the
// text.
using Reader = rapidjson::Reader;

/// serde_json, which the reference reader uses, stops at the same depth: its 128th level is an error.
constexpr int kMaxDepth = 127;

enum class Kind { Null, Bool, Unsigned, Negative, Fraction, Text, Object, Array };

std::string_view wordsFor(Kind kind)
{
    constexpr std::array<std::string_view, 8> words{"null", "true or false", "a number", "a negative number",
        "a number that is not whole or needs more than 64 bits", "a text", "an object", "an array"};
    return words[static_cast<std::size_t>(kind)];
}

/// Takes the events of one header text. Every function returns false to stop the reader, with the reason in reason().
class HeaderEvents : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, HeaderEvents> {
public:
    explicit HeaderEvents(HeaderText& into)
        : m_into(into)
    {
    }
    [[nodiscard]] const std::string& reason() const { return m_reason; }

    bool Null() { return value({Kind::Null, 0, {}}); }
    bool Bool(bool) { return value({Kind::Bool, 0, {}}); }
    bool Int(int) { return value({Kind::Negative, 0, {}}); }
    bool Int64(std::int64_t) { return value({Kind::Negative, 0, {}}); }
    bool Uint(unsigned number) { return value({Kind::Unsigned, number, {}}); }
    bool Uint64(std::uint64_t number) { return value({Kind::Unsigned, number, {}}); }
    bool Double(double) { return value({Kind::Fraction, 0, {}}); }
    bool String(const char* text, rapidjson::SizeType length, bool) { return value({Kind::Text, 0, {text, length}}); }
    bool StartObject() { return deeper() && value({Kind::Object, 0, {}}); }
    bool StartArray() { return deeper() && value({Kind::Array, 0, {}}); }
    bool Key(const char* text, rapidjson::SizeType length, bool);
    bool EndObject(rapidjson::SizeType);
    bool EndArray(rapidjson::SizeType);

private:
    enum class Expect {
        Document,
        Root,
        TensorInfo,
        Field,
        Dtype,
        Shape,
        Dimension,
        Offsets,
        Offset,
        Metadata,
        MetadataKey,
        MetadataValue,
        Ignored,
        Nothing
    };
    struct Value {
        Kind kind;
        std::uint64_t number;
        std::string_view text;
    };

    bool value(const Value& value);
    bool rootKey(std::string_view key);
    bool fieldKey(std::string_view key);
    bool dtype(const Value& value);
    bool dimension(const Value& value);
    bool offset(const Value& value);
    bool metadata(const Value& value);
    bool metadataValue(const Value& value);
    bool endShape();
    bool endTensor();
    bool ignored(const Value& value);
    bool deeper();
    bool into(const Value& value, Kind wanted, Expect next, std::string_view what);
    bool once(bool& seen, Expect next, std::string_view field);
    bool fail(std::string reason);
    bool failTensor(const std::string& reason)
    {
        return fail("tensor " + inQuotes(m_tensor.nameView()) + ": " + reason);
    }

    HeaderText& m_into;
    Expect m_expect = Expect::Document;
    HeaderEntry m_tensor;
    std::vector<std::uint64_t> m_shape;
    int m_offsets = 0;
    bool m_hasDtype = false;
    bool m_hasShape = false;
    bool m_hasOffsets = false;
    bool m_atFormat = false;
    int m_depth = 0;
    int m_ignoredFrom = 0; ///< Depth at which the ignored value began.
    std::string m_reason;
};

bool HeaderEvents::fail(std::string reason)
{
    m_reason = std::move(reason);
    return false;
}

bool HeaderEvents::deeper()
{
    return ++m_depth <= kMaxDepth
        || fail("the header's JSON is nested deeper than " + std::to_string(kMaxDepth) + " levels");
}

bool HeaderEvents::into(const Value& value, Kind wanted, Expect next, std::string_view what)
{
    if (value.kind != wanted)
        return failTensor(
            std::string(what) + " is " + std::string(wordsFor(value.kind)) + ", not " + std::string(wordsFor(wanted)));
    m_expect = next;
    return true;
}

bool HeaderEvents::value(const Value& value)
{
    switch (m_expect) {
    case Expect::Document:
        m_expect = Expect::Root;
        return value.kind == Kind::Object
            || fail("the header is " + std::string(wordsFor(value.kind)) + ", not an object");
    case Expect::TensorInfo:
        return into(value, Kind::Object, Expect::Field, "its entry");
    case Expect::Dtype:
        return dtype(value);
    case Expect::Shape:
        return into(value, Kind::Array, Expect::Dimension, "shape");
    case Expect::Dimension:
        return dimension(value);
    case Expect::Offsets:
        return into(value, Kind::Array, Expect::Offset, "data_offsets");
    case Expect::Offset:
        return offset(value);
    case Expect::Metadata:
        return metadata(value);
    case Expect::MetadataValue:
        return metadataValue(value);
    case Expect::Ignored:
        return ignored(value);
    default:
        return fail("unexpected value"); // the reader's grammar never comes here
    }
}

bool HeaderEvents::Key(const char* text, rapidjson::SizeType length, bool)
{
    const std::string_view key(text, length);
    switch (m_expect) {
    case Expect::Root:
        return rootKey(key);
    case Expect::Field:
        return fieldKey(key);
    case Expect::MetadataKey:
        m_atFormat = key == "format";
        m_expect = Expect::MetadataValue;
        return true;
    default:
        return true; // inside an ignored value
    }
}

bool HeaderEvents::rootKey(std::string_view key)
{
    if (key == "__metadata__") {
        m_expect = Expect::Metadata;
        return !std::exchange(m_into.hasMetadata, true) || fail("__metadata__ appears twice");
    }
    m_tensor = {};
    m_tensor.name = key.data();
    m_tensor.nameBytes = static_cast<std::uint32_t>(key.size());
    m_shape.clear();
    m_offsets = 0;
    m_hasDtype = m_hasShape = m_hasOffsets = false;
    m_expect = Expect::TensorInfo;
    return true;
}

bool HeaderEvents::once(bool& seen, Expect next, std::string_view field)
{
    m_expect = next;
    return !std::exchange(seen, true) || failTensor(std::string(field) + " is given twice");
}

bool HeaderEvents::fieldKey(std::string_view key)
{
    if (key == "dtype")
        return once(m_hasDtype, Expect::Dtype, key);
    if (key == "shape")
        return once(m_hasShape, Expect::Shape, key);
    if (key == "data_offsets")
        return once(m_hasOffsets, Expect::Offsets, key);
    m_expect = Expect::Ignored; // readers pass over what they do not know
    m_ignoredFrom = m_depth;
    return true;
}

bool HeaderEvents::dtype(const Value& value)
{
    if (!into(value, Kind::Text, Expect::Field, "dtype"))
        return false;
    const std::optional<Dtype> known = findDtype(value.text);
    if (!known)
        return failTensor("unknown dtype " + inQuotes(value.text));
    m_tensor.dtype = *known;
    return true;
}

bool HeaderEvents::dimension(const Value& value)
{
    if (m_shape.size() == DimensionPool::kMaxRank)
        return failTensor(
            "shape has more than " + formatCount(DimensionPool::kMaxRank) + " dimensions, too many to read");
    m_shape.push_back(value.number);
    return into(value, Kind::Unsigned, Expect::Dimension, "dimension " + std::to_string(m_shape.size()) + " of shape");
}

bool HeaderEvents::offset(const Value& value)
{
    if (++m_offsets > 2)
        return failTensor("data_offsets holds more than two numbers");
    (m_offsets == 1 ? m_tensor.begin : m_tensor.end) = value.number;
    return into(value, Kind::Unsigned, Expect::Offset, m_offsets == 1 ? "data_offsets[0]" : "data_offsets[1]");
}

bool HeaderEvents::metadata(const Value& value)
{
    m_expect = value.kind == Kind::Object ? Expect::MetadataKey : Expect::Root;
    return value.kind == Kind::Object || value.kind == Kind::Null
        || fail("__metadata__ is " + std::string(wordsFor(value.kind)) + ", not an object of texts");
}

bool HeaderEvents::metadataValue(const Value& value)
{
    m_expect = Expect::MetadataKey;
    if (value.kind != Kind::Text)
        return fail("__metadata__ holds " + std::string(wordsFor(value.kind)) + "; only texts are allowed there");
    if (m_atFormat)
        m_into.metadataFormat = toUtf8(value.text.substr(0, 32));
    return true;
}

bool HeaderEvents::ignored(const Value& value)
{
    if (value.kind != Kind::Object && value.kind != Kind::Array && m_depth == m_ignoredFrom)
        m_expect = Expect::Field;
    return true;
}

bool HeaderEvents::endShape()
{
    m_expect = Expect::Field;
    m_tensor.rank = static_cast<std::uint16_t>(m_shape.size());
    m_tensor.shape = m_into.dimensions.add(m_shape);
    return m_tensor.shape != nullptr
        || failTensor("the shapes up to here hold more dimensions than the header has room for");
}

bool HeaderEvents::endTensor()
{
    m_expect = Expect::Root;
    if (!m_hasDtype || !m_hasShape || !m_hasOffsets)
        return failTensor(std::string(!m_hasDtype ? "dtype" : !m_hasShape ? "shape" : "data_offsets") + " is missing");
    m_into.entries.push_back(m_tensor);
    return true;
}

bool HeaderEvents::EndObject(rapidjson::SizeType)
{
    --m_depth;
    switch (m_expect) {
    case Expect::Field:
        return endTensor();
    case Expect::MetadataKey:
        m_expect = Expect::Root;
        return true;
    case Expect::Ignored:
        m_expect = m_depth == m_ignoredFrom ? Expect::Field : Expect::Ignored;
        return true;
    default:
        m_expect = Expect::Nothing;
        return true;
    }
}

bool HeaderEvents::EndArray(rapidjson::SizeType)
{
    --m_depth;
    switch (m_expect) {
    case Expect::Dimension:
        return endShape();
    case Expect::Offset:
        m_expect = Expect::Field;
        return m_offsets == 2
            || failTensor("data_offsets holds " + std::to_string(m_offsets) + " numbers instead of two");
    case Expect::Ignored:
        m_expect = m_depth == m_ignoredFrom ? Expect::Field : Expect::Ignored;
        return true;
    default:
        return true;
    }
}

std::size_t skipAscii(std::string_view text, std::size_t at)
{
    for (std::uint64_t word = 0; at + 8 <= text.size(); at += 8) {
        std::memcpy(&word, text.data() + at, 8);
        if ((word & 0x8080808080808080U) != 0)
            break;
    }
    while (at < text.size() && static_cast<signed char>(text[at]) >= 0)
        ++at;
    return at;
}

} // namespace

const std::uint64_t* DimensionPool::add(std::span<const std::uint64_t> shape)
{
    static constexpr std::uint64_t kScalar = 0;
    if (shape.empty())
        return &kScalar;
    std::uint64_t hash = shape.size();
    for (const std::uint64_t dimension : shape)
        hash = (hash ^ dimension) * 0x9E3779B97F4A7C15U;
    Recent& recent = (*m_recent)[hash >> 54];
    if (recent.rank == shape.size() && std::equal(shape.begin(), shape.end(), recent.place))
        return recent.place;
    if (m_total + shape.size() > m_budget)
        return nullptr;
    m_total += shape.size();
    if (m_chunks.empty() || m_capacity - m_used < shape.size()) {
        m_capacity = std::max(kChunk, shape.size());
        m_chunks.push_back(std::make_unique_for_overwrite<std::uint64_t[]>(m_capacity));
        m_used = 0;
    }
    std::uint64_t* place = m_chunks.back().get() + m_used;
    std::copy(shape.begin(), shape.end(), place);
    m_used += shape.size();
    recent = {place, shape.size()};
    return place;
}

std::optional<HeaderDefect> parseHeaderText(std::span<char> text, HeaderText& into)
{
    // No list of tensors that grows by doubling: old and new copy together would be most of the memory. The shortest
    // entry takes 50 characters.
    const auto braces = static_cast<std::size_t>(std::count(text.begin(), text.end(), '{'));
    into.entries.reserve(std::min(braces, text.size() / 50));
    Reader reader;
    HeaderEvents events(into);
    rapidjson::InsituStringStream stream(text.data());
    constexpr unsigned flags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag;
    const rapidjson::ParseResult parsed = reader.Parse<flags>(stream, events);
    if (!events.reason().empty())
        return HeaderDefect{FailureMode::CorruptFile, "invalid header: " + events.reason(), false};
    if (parsed.IsError())
        return HeaderDefect{FailureMode::CorruptFile,
            "invalid JSON in the header at byte " + std::to_string(8 + parsed.Offset()) + ": "
                + rapidjson::GetParseError_En(parsed.Code()),
            false};
    if (stream.Tell() != text.size())
        return HeaderDefect{FailureMode::CorruptFile,
            "invalid JSON in the header at byte " + std::to_string(8 + stream.Tell()) + ": NUL instead of a space",
            false};
    return std::nullopt;
}

std::optional<std::size_t> findInvalidUtf8(std::string_view text)
{
    for (std::size_t at = skipAscii(text, 0); at < text.size(); at = skipAscii(text, at)) {
        const std::size_t run = at;
        while (at < text.size() && static_cast<signed char>(text[at]) < 0)
            ++at;
        if (!isUtf8(text.substr(run, at - run)))
            return run;
    }
    return std::nullopt;
}

std::string inQuotes(std::string_view name)
{
    constexpr std::size_t longest = 160;
    if (name.size() <= longest)
        return "'" + toUtf8(name) + "'";
    return "'" + toUtf8(name.substr(0, longest)) + "…' (" + formatCount(name.size()) + " bytes)";
}

std::string toText(std::span<const std::uint64_t> shape)
{
    constexpr std::size_t longest = 8;
    std::string text = "[";
    for (std::size_t i = 0; i < std::min(shape.size(), longest); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    if (shape.size() > longest)
        text += ", … " + formatCount(shape.size()) + " dimensions";
    return text + "]";
}

} // namespace loadlab
