#include "core/checkpoint/TorchFile.h"

#include "core/checkpoint/LfsPointer.h"
#include "core/checkpoint/ZipListing.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

constexpr std::uint64_t kMaxPickleBytes = std::uint64_t{16} << 20;

struct StorageType {
    std::string_view className; ///< As a pickle names it.
    std::string_view dtype;
    std::uint64_t itemBytes;
};
constexpr std::array kStorageTypes{
    StorageType{"BFloat16Storage", "BF16", 2},
    StorageType{"HalfStorage", "F16", 2},
    StorageType{"FloatStorage", "F32", 4},
    StorageType{"DoubleStorage", "F64", 8},
    StorageType{"LongStorage", "I64", 8},
    StorageType{"IntStorage", "I32", 4},
    StorageType{"ShortStorage", "I16", 2},
    StorageType{"CharStorage", "I8", 1},
    StorageType{"ByteStorage", "U8", 1},
    StorageType{"BoolStorage", "BOOL", 1},
};

struct Magic {
    std::string_view bytes;
    std::string_view format;
};
constexpr std::array kOtherFormats{
    Magic{"GGUF", "GGUF"},
    Magic{"\x89HDF\r\n", "HDF5"},
    Magic{"\x93NUMPY", "NumPy"},
};

/// The archive's member "<top>/<rest>".
const ZipEntry* findBelowTop(const ZipListing& listing, std::string_view rest)
{
    const auto found = std::find_if(listing.entries.begin(), listing.entries.end(), [rest](const ZipEntry& entry) {
        const std::size_t slash = entry.name.find('/');
        return slash != std::string::npos && std::string_view(entry.name).substr(slash + 1) == rest;
    });
    return found == listing.entries.end() ? nullptr : &*found;
}

bool isBelowTop(const ZipEntry& entry, std::string_view folder)
{
    const std::size_t slash = entry.name.find('/');
    return slash != std::string::npos && std::string_view(entry.name).substr(slash + 1).starts_with(folder);
}

/// The only storage type that the pickle's text names, as a whole word.
const StorageType* soleStorageType(std::string_view pickle)
{
    const StorageType* sole = nullptr;
    for (const StorageType& type : kStorageTypes)
        for (std::size_t at = pickle.find(type.className); at != std::string_view::npos;
             at = pickle.find(type.className, at + 1)) {
            const char before = at == 0 ? '\n' : pickle[at - 1];
            if ((before >= 'A' && before <= 'Z') || (before >= 'a' && before <= 'z')
                || (before >= '0' && before <= '9'))
                continue; // the end of a longer name: "FloatStorage" in "BFloatStorage"
            if (sole != nullptr && sole != &type)
                return nullptr;
            sole = &type;
        }
    return sole;
}

Result<void> countWeights(const RegularFile& file, const ZipListing& listing, TorchFile& torch)
{
    for (const ZipEntry& entry : listing.entries)
        if (isBelowTop(entry, "data/") || isBelowTop(entry, "constants/"))
            torch.weightBytes += entry.sizeBytes;
    const ZipEntry* pickle = findBelowTop(listing, "data.pkl");
    if (pickle == nullptr || !pickle->isStored || pickle->storedBytes > kMaxPickleBytes)
        return {};
    const Result<std::uint64_t> offset = dataOffsetOf(file, *pickle);
    if (!offset) {
        torch.defect = FileDefect{FailureMode::CorruptFile, offset.error().message, false};
        return {};
    }
    std::string text(static_cast<std::size_t>(pickle->storedBytes), '\0');
    const Result<std::size_t> got = file.read(*offset, text);
    if (!got)
        return got.error();
    if (const StorageType* type = soleStorageType(text))
        torch.dtypes[std::string(type->dtype)] = torch.weightBytes / type->itemBytes;
    return {};
}

Result<TorchFile> examineArchive(const RegularFile& file)
{
    TorchFile torch;
    Result<ZipListing> listing = readZipListing(file);
    if (!listing)
        return listing.error();
    torch.defect = listing->defect;
    torch.format = "zip archive";
    if (torch.defect)
        return torch;
    const bool hasCode = std::any_of(listing->entries.begin(), listing->entries.end(),
        [](const ZipEntry& entry) { return isBelowTop(entry, "code/"); });
    if (!hasCode && findBelowTop(*listing, "data.pkl") == nullptr) {
        torch.defect = FileDefect{
            FailureMode::CorruptFile, "a zip archive, but none that torch wrote: neither code/ nor data.pkl", false};
        return torch;
    }
    torch.kind = hasCode ? TorchFileKind::TorchScript : TorchFileKind::Pickle;
    torch.format = hasCode ? "TorchScript" : "pickled weights";
    const Result<void> counted = countWeights(file, *listing, torch);
    if (!counted)
        return counted.error();
    return torch;
}

} // namespace

Result<TorchFile> examineTorchFile(const RegularFile& file)
{
    const Result<std::string> head = file.readHead(kLfsPointerBytes);
    if (!head)
        return head.error();
    TorchFile torch;
    torch.format = "file";
    if (const std::optional<LfsPointer> pointer = findLfsPointer(*head)) {
        torch.defect = FileDefect{FailureMode::IncompleteDownload, describe(*pointer), true};
        return torch;
    }
    if (head->empty()) {
        torch.defect = FileDefect{FailureMode::IncompleteDownload, "is empty", false};
        return torch;
    }
    if (looksLikeZip(*head))
        return examineArchive(file);
    // Protocol 2 and later begin with 0x80 and the protocol; torch's old format is a series of such pickles.
    if (head->size() > 1 && (*head)[0] == '\x80' && (*head)[1] >= 1 && (*head)[1] <= 5) {
        torch.kind = TorchFileKind::Pickle;
        torch.format = "pickled weights";
        return torch;
    }
    for (const Magic& magic : kOtherFormats)
        if (head->starts_with(magic.bytes)) {
            torch.kind = TorchFileKind::OtherFormat;
            torch.format = magic.format;
            return torch;
        }
    const bool zeros = head->find_first_not_of('\0') == std::string::npos;
    torch.defect = FileDefect{zeros ? FailureMode::IncompleteDownload : FailureMode::CorruptFile,
        zeros ? "begins with zeros: its room was reserved and never filled" : "is neither a zip archive nor a pickle",
        false};
    return torch;
}

} // namespace loadlab
