#include "db/LogText.h"

#include <zstd.h>

namespace loadlab {
namespace {

constexpr char kPlain = 1;
constexpr char kZstd = 2;
constexpr int kLevel = 3;
constexpr std::size_t kMaxPayloadBytes = std::size_t{16} << 20;

Error invalid(const std::string& what)
{
    return {ErrorKind::Invalid, "log block: " + what};
}

void appendVarint(std::string& out, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        out += static_cast<char>(0x80 | (value & 0x7f));
    out += static_cast<char>(value);
}

std::optional<std::uint64_t> takeVarint(std::string_view& in)
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(in.front());
        in.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80)
            return value;
    }
    return std::nullopt;
}

std::uint64_t zigzag(std::int64_t value)
{
    return (static_cast<std::uint64_t>(value) << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0);
}

std::int64_t unzigzag(std::uint64_t value)
{
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

Result<std::string> decompress(std::string_view frame)
{
    const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMaxPayloadBytes)
        return invalid("damaged, or larger than any block may be");
    std::string payload(size, '\0');
    const std::size_t got = ZSTD_decompress(payload.data(), payload.size(), frame.data(), frame.size());
    if (ZSTD_isError(got))
        return invalid(std::string("damaged (") + ZSTD_getErrorName(got) + ")");
    payload.resize(got);
    return payload;
}

Result<std::vector<LogPiece>> readPayload(std::string_view in)
{
    std::vector<LogPiece> pieces;
    std::int64_t tMs = 0;
    while (!in.empty()) {
        const auto stream = static_cast<unsigned char>(in.front());
        in.remove_prefix(1);
        const auto step = takeVarint(in);
        const auto size = takeVarint(in);
        if (!step || !size || *size > in.size() || stream > static_cast<unsigned char>(LogStream::Lab))
            return invalid("cut short or damaged");
        tMs = static_cast<std::int64_t>(static_cast<std::uint64_t>(tMs) + static_cast<std::uint64_t>(unzigzag(*step)));
        pieces.push_back({static_cast<LogStream>(stream), tMs, std::string(in.substr(0, *size))});
        in.remove_prefix(*size);
    }
    return pieces;
}

} // namespace

std::string encodeLogBlock(const std::vector<LogPiece>& pieces)
{
    std::string plain(1, kPlain);
    std::int64_t before = 0;
    for (const LogPiece& piece : pieces) {
        plain += static_cast<char>(piece.stream);
        appendVarint(plain, zigzag(piece.tMs - before));
        appendVarint(plain, piece.bytes.size());
        plain += piece.bytes;
        before = piece.tMs;
    }
    std::string packed(1 + ZSTD_compressBound(plain.size() - 1), kZstd);
    const std::size_t size
        = ZSTD_compress(packed.data() + 1, packed.size() - 1, plain.data() + 1, plain.size() - 1, kLevel);
    if (ZSTD_isError(size) || 1 + size >= plain.size())
        return plain;
    packed.resize(1 + size);
    return packed;
}

Result<std::vector<LogPiece>> decodeLogBlock(std::string_view blob)
{
    if (blob.empty())
        return invalid("empty");
    const char format = blob.front();
    blob.remove_prefix(1);
    if (format == kPlain)
        return readPayload(blob);
    if (format != kZstd)
        return invalid("format " + std::to_string(static_cast<unsigned char>(format))
            + " is not known here; a newer LoadLab wrote it, open it with that version");
    const Result<std::string> payload = decompress(blob);
    if (!payload)
        return payload.error();
    return readPayload(*payload);
}

} // namespace loadlab
