#include "db/BlackBox.h"

#include "core/Descriptor.h"
#include "core/Text.h"
#include "core/curve/ChunkCodec.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace loadlab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSlotBytes = 4096;
constexpr std::size_t kSlots = BlackBox::kBytes / kSlotBytes;
constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kRecordHead = 4 + 1 + 8;
constexpr std::size_t kMostRecord = kSlotBytes - kNumberBytes - kRecordHead - 4; ///< The last 4 end the list.
constexpr std::size_t kMostText = 3000; ///< A piece's bytes; more is split.
constexpr std::size_t kMostSamples = 8; ///< A chunk of so many always fits a slot: 10 bytes a value at the most.
constexpr std::uint64_t kLeaveFree = std::uint64_t{32} << 20; ///< On a fuller disk the room belongs to the database.
constexpr std::string_view kMagic = "LoadLabBox1\n";

fs::path boxOf(const fs::path& database, std::string_view uuid)
{
    return fs::path(database.native() + "-box-" + std::string(uuid));
}

Error failed(const fs::path& file, const char* what)
{
    return {ErrorKind::Io, toUtf8(file.native()) + ": cannot " + what + ": " + std::strerror(errno)};
}

void putNumber(char* into, std::uint64_t number, std::size_t bytes)
{
    for (std::size_t i = 0; i < bytes; ++i)
        into[i] = static_cast<char>((number >> (8 * i)) & 0xff);
}

std::uint64_t numberAt(const char* from, std::size_t bytes)
{
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        number |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
    return number;
}

struct Record {
    char kind = 0;
    std::uint64_t at = 0;
    std::string_view blob;
};

/// The records of a slot until the first that is none.
template <typename Take> void eachRecord(std::string_view slot, Take take)
{
    for (std::size_t at = kNumberBytes; at + kRecordHead < slot.size();) {
        const auto length = static_cast<std::size_t>(numberAt(slot.data() + at, 4));
        if (length == 0 || length > slot.size() - at - kRecordHead)
            return;
        if (!take(Record{slot[at + 4], numberAt(slot.data() + at + 5, 8), slot.substr(at + kRecordHead, length)}))
            return;
        at += kRecordHead + length;
    }
}

bool readRecord(const Record& record, BlackBox::Content& into)
{
    if (record.kind == 's') {
        Result<std::vector<Sample>> samples = decodeChunk(record.blob);
        if (!samples)
            return false;
        into.samples.insert(into.samples.end(), samples->begin(), samples->end());
        return true;
    }
    Result<std::vector<LogPiece>> pieces = decodeLogBlock(record.blob);
    if (record.kind != 'l' || !pieces)
        return false;
    std::uint64_t at = record.at;
    for (LogPiece& piece : *pieces) {
        const auto size = piece.bytes.size();
        into.log.emplace_back(at, std::move(piece));
        at += size;
    }
    return true;
}

} // namespace

struct BlackBox::Ring {
    fs::path file;
    Descriptor descriptor;
    char* data = nullptr;
    std::uint64_t number = 0; ///< Of the slot that is being filled; 0: none yet.
    std::size_t used = 0; ///< Of that slot.

    ~Ring()
    {
        if (data)
            ::munmap(data, kBytes);
    }

    [[nodiscard]] char* slot() const { return data + (1 + (number - 1) % (kSlots - 1)) * kSlotBytes; }

    void nextSlot()
    {
        ++number;
        std::memset(slot(), 0, kSlotBytes);
        putNumber(slot(), number, kNumberBytes);
        used = kNumberBytes;
    }

    void append(char kind, std::uint64_t at, std::string_view blob)
    {
        if (blob.size() > kMostRecord)
            return;
        if (number == 0 || used + kRecordHead + blob.size() + 4 > kSlotBytes)
            nextSlot();
        char* head = slot() + used;
        head[4] = kind;
        putNumber(head + 5, at, 8);
        std::memcpy(head + kRecordHead, blob.data(), blob.size());
        // Last: whoever dies in between leaves a list that ends before this record.
        std::atomic_signal_fence(std::memory_order_seq_cst);
        putNumber(head, blob.size(), 4);
        used += kRecordHead + blob.size();
    }
};

BlackBox::BlackBox(std::unique_ptr<Ring> ring)
    : m_ring(std::move(ring))
{
}

BlackBox::BlackBox(BlackBox&&) noexcept = default;
BlackBox& BlackBox::operator=(BlackBox&&) noexcept = default;
BlackBox::~BlackBox() = default;

Result<BlackBox> BlackBox::create(const fs::path& database, std::string_view uuid)
{
    auto ring = std::make_unique<Ring>();
    ring->file = boxOf(database, uuid);
    struct statvfs disk { };
    const auto folder = ring->file.has_parent_path() ? ring->file.parent_path() : fs::path(".");
    if (::statvfs(folder.c_str(), &disk) == 0 && std::uint64_t{disk.f_bavail} * disk.f_frsize < kLeaveFree)
        return Error{ErrorKind::Io, toUtf8(ring->file.native()) + ": too little room beside the database"};
    ring->descriptor = Descriptor(::open(ring->file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (ring->descriptor.get() < 0)
        return failed(ring->file, "make the black box");
    std::string content = std::string(kMagic) + std::string(uuid);
    content.resize(kBytes, '\0');
    if (::write(ring->descriptor.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
        const Error error = failed(ring->file, "write the black box");
        ::unlink(ring->file.c_str());
        return error;
    }
    void* data = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->descriptor.get(), 0);
    if (data == MAP_FAILED) {
        const Error error = failed(ring->file, "map the black box");
        ::unlink(ring->file.c_str());
        return error;
    }
    ring->data = static_cast<char*>(data);
    return BlackBox(std::move(ring));
}

void BlackBox::add(std::span<const Sample> samples)
{
    for (; !samples.empty(); samples = samples.subspan(std::min(kMostSamples, samples.size())))
        m_ring->append('s', 0, encodeChunk(samples.first(std::min(kMostSamples, samples.size()))));
}

void BlackBox::add(std::uint64_t at, const LogPiece& piece)
{
    const std::string_view bytes = piece.bytes;
    for (std::size_t from = 0; from < bytes.size(); from += kMostText) {
        const LogPiece part{piece.stream, piece.tMs, std::string(bytes.substr(from, kMostText))};
        m_ring->append('l', at + from, encodeLogBlock({part}));
    }
}

void BlackBox::sync() const
{
    ::fdatasync(m_ring->descriptor.get());
}

void BlackBox::remove()
{
    ::unlink(m_ring->file.c_str());
}

Result<BlackBox::Content> BlackBox::read(const fs::path& database, std::string_view uuid)
{
    const fs::path file = boxOf(database, uuid);
    const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status { };
    if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0)
        return Error{
            errno == ENOENT ? ErrorKind::NotFound : ErrorKind::Io, toUtf8(file.native()) + ": " + std::strerror(errno)};
    std::string all(kBytes, '\0');
    const bool whole = S_ISREG(status.st_mode)
        && ::pread(descriptor.get(), all.data(), all.size(), 0) == static_cast<ssize_t>(all.size());
    if (!whole || !all.starts_with(std::string(kMagic) + std::string(uuid)))
        return Error{ErrorKind::Invalid, toUtf8(file.native()) + ": is no black box of this run"};
    std::vector<std::string_view> slots;
    for (std::size_t i = 1; i < kSlots; ++i)
        if (const auto slot = std::string_view(all).substr(i * kSlotBytes, kSlotBytes); numberAt(slot.data(), 8) != 0)
            slots.push_back(slot);
    std::ranges::sort(slots, {}, [](std::string_view slot) { return numberAt(slot.data(), kNumberBytes); });
    Content content;
    for (const auto slot : slots)
        eachRecord(slot, [&content](const Record& record) { return readRecord(record, content); });
    std::ranges::stable_sort(content.samples, {}, &Sample::monotonicNs);
    return content;
}

void BlackBox::discard(const fs::path& database, std::string_view uuid)
{
    if (!uuid.empty())
        ::unlink(boxOf(database, uuid).c_str());
}

} // namespace loadlab
