#include "core/checkpoint/SafetensorsHeader.h"

#include "core/Digest.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/HeaderRules.h"
#include "core/checkpoint/HeaderText.h"
#include "core/checkpoint/LfsPointer.h"
#include "core/checkpoint/RegularFile.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::uint64_t kLengthBytes = 8;

std::uint64_t littleEndian64(std::string_view bytes)
{
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
        value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return value;
}

bool isAllZero(std::string_view bytes)
{
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

} // namespace

struct SafetensorsHeader::State {
    std::unique_ptr<char[]> text;
    std::unique_ptr<HeaderText> parsed;
    std::vector<HeaderDefect> defects;
    std::vector<std::string> remarks;
    std::uint64_t fileBytes = 0;
    std::uint64_t dataOffset = 0;
    std::optional<LfsPointer> pointer;
    std::string digest;

    void reject(FailureMode mode, std::string reason) { defects.push_back({mode, std::move(reason), false}); }
    bool acceptLength(std::string_view head);
    Result<void> readText(const RegularFile& file, Sha256& hash);
    bool acceptText();
    void checkEntries();
};

/// Rules 1 to 3: eight bytes for the length, and a length that limit and file allow.
bool SafetensorsHeader::State::acceptLength(std::string_view head)
{
    pointer = findLfsPointer(head);
    if (pointer) {
        reject(FailureMode::IncompleteDownload, describe(*pointer));
        return false;
    }
    if (head.size() < kLengthBytes) {
        reject(FailureMode::IncompleteDownload,
            "header too small: the file has " + std::to_string(fileBytes)
                + " bytes, the header's length alone takes 8");
        return false;
    }
    const std::uint64_t length = littleEndian64(head);
    if (length == 0 && isAllZero(head)) {
        reject(FailureMode::IncompleteDownload, "the file begins with zeros: its room was reserved and never filled");
    } else if (length == 0) {
        reject(FailureMode::CorruptFile, "header too small: its length field says 0 bytes, an empty one takes 2");
    } else if (length > kMaxHeaderBytes) {
        reject(FailureMode::CorruptFile,
            "header too large: its length field says " + formatCount(length) + " bytes, the format allows "
                + formatCount(kMaxHeaderBytes) + "; this is no safetensors file");
    } else if (kLengthBytes + length > fileBytes) {
        reject(FailureMode::IncompleteDownload,
            "invalid header length: the header takes " + formatCount(kLengthBytes + length) + " bytes, the file has "
                + formatCount(fileBytes) + "; it is cut short inside the header");
    } else {
        dataOffset = kLengthBytes + length;
        return true;
    }
    return false;
}

Result<void> SafetensorsHeader::State::readText(const RegularFile& file, Sha256& hash)
{
    const auto length = static_cast<std::size_t>(dataOffset - kLengthBytes);
    text = std::make_unique_for_overwrite<char[]>(length + 1);
    text[length] = '\0';
    const Result<std::size_t> got = file.read(kLengthBytes, {text.get(), length});
    if (!got)
        return got.error();
    if (*got < length)
        return Error{ErrorKind::Io, "shrank while its header was read"};
    hash.add({text.get(), length});
    return {};
}

/// Rules 4 and 5: UTF-8, an object, entries of the right types.
bool SafetensorsHeader::State::acceptText()
{
    const auto length = static_cast<std::size_t>(dataOffset - kLengthBytes);
    const std::string_view view(text.get(), length);
    if (isAllZero(view.substr(length - std::min<std::size_t>(length, 16)))) {
        reject(
            FailureMode::IncompleteDownload, "the header's text ends in zeros: its room was reserved and never filled");
        return false;
    }
    if (const std::optional<std::size_t> bad = findInvalidUtf8(view)) {
        reject(FailureMode::CorruptFile, "invalid UTF-8 in the header at byte " + std::to_string(kLengthBytes + *bad));
        return false;
    }
    if (view.front() != '{') {
        reject(FailureMode::CorruptFile,
            "the header begins with " + inQuotes(view.substr(0, 1)) + " instead of '{'; this is no safetensors file");
        return false;
    }
    parsed = std::make_unique<HeaderText>(length);
    if (std::optional<HeaderDefect> defect = parseHeaderText({text.get(), length}, *parsed)) {
        defects.push_back(std::move(*defect));
        parsed.reset();
        text.reset();
        return false;
    }
    parsed->dimensions.seal();
    return true;
}

/// Rules 6 and 7: places, sizes, coverage.
void SafetensorsHeader::State::checkEntries()
{
    DefectList list;
    dropDuplicates(parsed->entries, list);
    checkPlaces(parsed->entries, dataOffset, fileBytes, list);
    defects = list.take();
    remarks = remarksOn(*parsed, dataOffset);
}

Result<SafetensorsHeader> SafetensorsHeader::load(const std::filesystem::path& file)
{
    const std::string path = toUtf8(file.native());
    const Result<RegularFile> opened = RegularFile::open(file);
    if (!opened)
        return Error(opened.error()).in(path);
    Result<SafetensorsHeader> header = read(*opened);
    if (!header)
        return Error(header.error()).in(path);
    return header;
}

Result<SafetensorsHeader> SafetensorsHeader::read(const RegularFile& file)
{
    auto state = std::make_unique<State>();
    state->fileBytes = file.sizeBytes();
    const Result<std::string> head = file.readHead(kLfsPointerBytes);
    if (!head)
        return head.error();
    Sha256 hash;
    if (state->acceptLength(*head)) {
        const Result<void> text = state->readText(file, hash);
        if (!text)
            return text.error();
        if (state->acceptText())
            state->checkEntries();
    } else {
        hash.add(*head);
    }
    hash.add(std::to_string(state->fileBytes));
    state->digest = hash.hex();
    return SafetensorsHeader(std::move(state));
}

SafetensorsHeader::SafetensorsHeader(std::unique_ptr<State> state)
    : m_state(std::move(state))
{
}
SafetensorsHeader::SafetensorsHeader(SafetensorsHeader&&) noexcept = default;
SafetensorsHeader& SafetensorsHeader::operator=(SafetensorsHeader&&) noexcept = default;
SafetensorsHeader::~SafetensorsHeader() = default;

std::uint64_t SafetensorsHeader::Tensor::elements() const
{
    std::uint64_t product = 1;
    for (const std::uint64_t dimension : shape)
        if (__builtin_mul_overflow(product, dimension, &product))
            return 0;
    return product;
}

std::size_t SafetensorsHeader::count() const
{
    return m_state->parsed ? m_state->parsed->entries.size() : 0;
}

SafetensorsHeader::Tensor SafetensorsHeader::tensor(std::size_t index) const
{
    const HeaderEntry& entry = m_state->parsed->entries[index];
    return {entry.nameView(), entry.dtype, entry.shapeView(), entry.begin, entry.end};
}

std::uint64_t SafetensorsHeader::dataOffset() const
{
    return m_state->dataOffset;
}

std::uint64_t SafetensorsHeader::fileBytes() const
{
    return m_state->fileBytes;
}

const std::vector<HeaderDefect>& SafetensorsHeader::defects() const
{
    return m_state->defects;
}

const std::vector<std::string>& SafetensorsHeader::remarks() const
{
    return m_state->remarks;
}

bool SafetensorsHeader::usable() const
{
    return std::all_of(
        m_state->defects.begin(), m_state->defects.end(), [](const HeaderDefect& defect) { return defect.tolerated; });
}

bool SafetensorsHeader::isLfsPointer() const
{
    return m_state->pointer.has_value();
}

std::string SafetensorsHeader::digest() const
{
    return m_state->digest;
}

} // namespace loadlab
