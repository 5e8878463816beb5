#include "core/checkpoint/DeepCheck.h"

#include "core/Digest.h"
#include "core/checkpoint/RegularFile.h"

#include <algorithm>
#include <fcntl.h>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

struct Readable {
    fs::path path;
    std::string name;
};

/// What names of the file list are relative to. For a repo of the hub cache that is its snapshot, not the path as
/// given.
fs::path baseOf(const Checkpoint& checkpoint)
{
    if (!checkpoint.weightFiles.empty()) {
        fs::path base = checkpoint.weightFiles.front().path;
        for (const fs::path& part : fs::path(checkpoint.weightFiles.front().name))
            if (!part.empty())
                base = base.parent_path();
        return base;
    }
    std::error_code ignored;
    return fs::is_directory(checkpoint.path, ignored) ? checkpoint.path : checkpoint.path.parent_path();
}

/// Every file that is there, weights by their own paths: these are bytes, the names of the list are UTF-8.
std::vector<Readable> readableFiles(const Checkpoint& checkpoint)
{
    std::vector<Readable> files;
    for (const Checkpoint::WeightFile& weights : checkpoint.weightFiles)
        files.push_back({weights.path, weights.name});
    std::error_code ignored;
    const fs::path folder = baseOf(checkpoint);
    for (const CheckpointFile& file : checkpoint.files) {
        const bool known = std::ranges::find(files, file.name, &Readable::name) != files.end();
        if (file.present && !known && fs::is_regular_file(folder / file.name, ignored))
            files.push_back({folder / file.name, file.name});
    }
    return files;
}

/// The hub cache names the blob of a large file by its SHA-256; a snapshot holds links to blobs.
std::string promisedSha256(const fs::path& file)
{
    std::error_code ignored;
    const std::string blob = fs::canonical(file, ignored).filename().string();
    constexpr std::size_t digits = 64;
    return blob.size() == digits && blob.find_first_not_of("0123456789abcdef") == std::string::npos ? blob
                                                                                                    : std::string();
}

/// The SHA-256 of all of it; an error when it cannot be read.
Result<std::string> digestOf(
    const RegularFile& file, const std::function<void(std::uint64_t)>& read, const std::stop_token& stop)
{
    ::posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
    Sha256 hash;
    std::vector<char> piece(kPieceBytes);
    for (std::uint64_t at = 0; !stop.stop_requested();) {
        const Result<std::size_t> got = file.read(at, piece);
        if (!got)
            return got.error();
        if (*got == 0)
            return hash.hex();
        hash.add({piece.data(), *got});
        at += *got;
        read(*got);
    }
    return Error{ErrorKind::Cancelled, "stopped"};
}

void addProblem(Checkpoint& checkpoint, Problem problem, const char* check)
{
    const auto row = std::ranges::find(checkpoint.files, problem.file, &CheckpointFile::name);
    if (row != checkpoint.files.end())
        row->check = check;
    checkpoint.problems.push_back(std::move(problem));
}

} // namespace

nlohmann::json toJson(const DeepReport& report)
{
    return {{"files", report.files}, {"hashed", report.hashed}, {"bytes", report.bytes}};
}

std::uint64_t deepBytes(const Checkpoint& checkpoint)
{
    std::uint64_t bytes = 0;
    std::error_code error;
    for (const Readable& file : readableFiles(checkpoint))
        if (const std::uintmax_t size = fs::file_size(file.path, error); !error)
            bytes += size;
    return bytes;
}

DeepReport deepCheck(
    Checkpoint& checkpoint, const std::function<void(std::uint64_t)>& read, const std::stop_token& stop)
{
    DeepReport report;
    for (const Readable& readable : readableFiles(checkpoint)) {
        if (stop.stop_requested())
            break;
        const Result<RegularFile> file = RegularFile::open(readable.path);
        const Result<std::string> digest = file ? digestOf(*file, read, stop) : Result<std::string>(file.error());
        if (!digest && digest.error().kind == ErrorKind::Cancelled)
            break;
        if (!digest) {
            addProblem(checkpoint,
                {FailureMode::DiskIo, readable.name, "cannot be read to its end: " + digest.error().message},
                "not readable");
            continue;
        }
        ++report.files;
        report.bytes += file->sizeBytes();
        const std::string promised = promisedSha256(readable.path);
        report.hashed += promised.empty() ? 0 : 1;
        if (promised.empty() || promised == *digest)
            continue;
        addProblem(checkpoint,
            {FailureMode::CorruptFile, readable.name,
                "the hub cache calls it " + promised + ", its content has SHA-256 " + *digest + ": fetch it again"},
            "not as promised");
        checkpoint.state = CheckpointState::Corrupt;
    }
    return report;
}

} // namespace loadlab
