#include "core/checkpoint/FolderListing.h"

#include "core/Text.h"
#include "core/checkpoint/RegularFile.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/stat.h>
#include <system_error>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxEntries = 100'000;

bool isBelow(const fs::path& path, const fs::path& folder)
{
    return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

/// …/models--org--name/blobs/<etag>: where the links of a hub-cache snapshot end, and those that older versions of
/// huggingface_hub put into a local folder.
bool isHubBlob(const fs::path& path)
{
    const fs::path blobs = path.parent_path();
    return blobs.filename() == "blobs" && blobs.parent_path().filename().native().starts_with("models--");
}

bool leaves(std::string_view name)
{
    const fs::path path(name);
    return name.empty() || name.find('\0') != std::string_view::npos || path.is_absolute()
        || std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

void classify(FolderEntry& entry, const struct stat& status)
{
    if (S_ISREG(status.st_mode)) {
        entry.kind = EntryKind::File;
        entry.sizeBytes = static_cast<std::uint64_t>(status.st_size);
    } else if (S_ISDIR(status.st_mode)) {
        entry.kind = EntryKind::Folder;
        entry.detail = "is a folder";
    } else {
        entry.kind = EntryKind::Special;
        entry.detail = "is " + std::string(wordsForKind(status.st_mode)) + ", not a file; it was not opened";
    }
}

void refuse(FolderEntry& entry, int code)
{
    entry.kind = code == ENOENT || code == ENOTDIR ? EntryKind::Absent : EntryKind::Unreachable;
    entry.detail = std::generic_category().message(code);
}

/// Whether the real place of `path` is allowed; says why not in `entry`.
bool mayFollow(const fs::path& path, const fs::path& folder, FolderEntry& entry)
{
    std::error_code code;
    const fs::path target = fs::read_symlink(path, code);
    const std::string words
        = code ? "is reached through a linked folder" : "is a link to '" + toUtf8(target.native()) + "'";
    const fs::path real = fs::canonical(path, code);
    if (code) {
        entry.kind = code == std::errc::permission_denied ? EntryKind::Unreachable : EntryKind::Dangling;
        entry.detail
            = words + (code == std::errc::no_such_file_or_directory ? ", which is absent" : ": " + code.message());
        return false;
    }
    if (isHubBlob(real) || isBelow(real, fs::canonical(folder, code)))
        return true;
    entry.kind = EntryKind::Outside;
    entry.detail = words + ", which leaves the checkpoint; it was not followed (put the file itself here)";
    return false;
}

bool endsWith(std::string_view name, std::string_view suffix)
{
    return name.ends_with(suffix);
}

bool isOneOf(std::string_view name, std::initializer_list<std::string_view> names)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

FolderEntry lookUp(const fs::path& folder, std::string_view name)
{
    FolderEntry entry{std::string(name), EntryKind::Absent, 0, {}};
    if (leaves(name)) {
        entry.kind = EntryKind::Outside;
        entry.detail = name.empty() ? "is an empty name; it was not followed"
                                    : "leaves the checkpoint's folder; it was not followed";
        return entry;
    }
    const fs::path path = folder / name;
    struct stat status { };
    if (::lstat(path.c_str(), &status) != 0) {
        refuse(entry, errno);
        return entry;
    }
    const bool nested = name.find('/') != std::string_view::npos; // a folder on the way may be a link
    if (S_ISLNK(status.st_mode) || nested) {
        if (!mayFollow(path, folder, entry))
            return entry;
        if (::stat(path.c_str(), &status) != 0) {
            refuse(entry, errno);
            return entry;
        }
    }
    classify(entry, status);
    return entry;
}

Result<std::vector<FolderEntry>> listFolder(const fs::path& folder)
{
    std::vector<FolderEntry> entries;
    std::error_code code;
    for (fs::directory_iterator at(folder, code), end; !code && at != end && entries.size() < kMaxEntries;
         at.increment(code))
        entries.push_back(lookUp(folder, at->path().filename().native()));
    if (code)
        return Error{ErrorKind::Io, toUtf8(folder.native()) + ": " + code.message()};
    std::sort(
        entries.begin(), entries.end(), [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
    return entries;
}

std::string_view roleOf(std::string_view name)
{
    constexpr std::array weights{".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx"};
    if (isOneOf(name, {"config.json", "hf_quant_config.json"}))
        return "config";
    if (name == "generation_config.json")
        return "generation_config";
    if (isOneOf(name,
            {"tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt", "merges.txt",
                "special_tokens_map.json", "added_tokens.json", "chat_template.json", "chat_template.jinja",
                "spiece.model", "sentencepiece.bpe.model", "preprocessor_config.json", "processor_config.json"}))
        return "tokenizer";
    if (name.find(".index.") != std::string_view::npos && endsWith(name, ".json"))
        return "index";
    if (endsWith(name, ".py"))
        return "code";
    if (isOneOf(name, {"training_args.bin", "optimizer.pt", "scheduler.pt", "optimizer.bin", "scheduler.bin"}))
        return "other"; // a trainer's state, never part of the model
    for (const std::string_view suffix : weights)
        if (endsWith(name, suffix))
            return "weights";
    return "other";
}

} // namespace loadlab
