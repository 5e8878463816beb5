#include "core/checkpoint/HubCache.h"

#include "core/Text.h"
#include "core/checkpoint/RegularFile.h"

#include <algorithm>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kRepoPrefix = "models--";
constexpr std::string_view kIncomplete = ".incomplete";

std::vector<fs::path> childrenOf(const fs::path& folder)
{
    std::vector<fs::path> children;
    std::error_code code;
    for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code))
        children.push_back(at->path());
    std::sort(children.begin(), children.end());
    return children;
}

bool isFolder(const fs::path& path)
{
    std::error_code code;
    return fs::is_directory(path, code);
}

/// The commit in refs/<revision>; empty when it is no plain name (it becomes part of a path).
std::string readRef(const fs::path& ref)
{
    Result<RegularFile> file = RegularFile::open(ref);
    if (!file)
        return {};
    Result<std::string> text = file->readHead(128);
    if (!text)
        return {};
    const std::size_t end = text->find_first_of(" \r\n");
    std::string commit = text->substr(0, end);
    const bool plain = !commit.empty() && std::all_of(commit.begin(), commit.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    });
    return plain ? commit : std::string();
}

fs::path newest(const std::vector<fs::path>& folders)
{
    fs::path best;
    fs::file_time_type bestTime = fs::file_time_type::min();
    for (const fs::path& folder : folders) {
        std::error_code code;
        const fs::file_time_type time = fs::last_write_time(folder, code);
        if (!code && (best.empty() || time > bestTime)) {
            best = folder;
            bestTime = time;
        }
    }
    return best;
}

bool isHex(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
}

/// "<etag>.incomplete" and "<etag>.<8 hex>.incomplete".
std::string etagOf(std::string_view name)
{
    name.remove_suffix(kIncomplete.size());
    if (name.size() > 9 && name[name.size() - 9] == '.' && isHex(name.substr(name.size() - 8)))
        name.remove_suffix(9);
    return std::string(name);
}

std::uint64_t sizeOf(const fs::path& file)
{
    std::error_code code;
    const std::uintmax_t size = fs::file_size(file, code);
    return code ? 0 : size;
}

} // namespace

bool isPublishedName(std::string_view name)
{
    const auto isPart = [](std::string_view part) {
        return !part.empty() && part.front() != '.' && part.front() != '-' && std::ranges::all_of(part, [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'
                || c == '.';
        });
    };
    const auto slash = name.find('/');
    return slash != name.npos && isPart(name.substr(0, slash)) && isPart(name.substr(slash + 1));
}

std::optional<std::string> hubIdOf(std::string_view folderName)
{
    if (!folderName.starts_with(kRepoPrefix) || folderName.size() == kRepoPrefix.size())
        return std::nullopt;
    std::string id = toUtf8(folderName.substr(kRepoPrefix.size()));
    for (std::size_t at = id.find("--"); at != std::string::npos; at = id.find("--", at + 1))
        id.replace(at, 2, "/");
    return id;
}

std::optional<HubRepo> findHubRepo(const fs::path& folder)
{
    for (const fs::path& candidate : {folder, folder.parent_path().parent_path()}) {
        const std::optional<std::string> id = hubIdOf(candidate.filename().native());
        const bool isSnapshot = candidate != folder && folder.parent_path().filename() == "snapshots";
        if (id
            && (isSnapshot || isFolder(candidate / "snapshots") || isFolder(candidate / "blobs")
                || isFolder(candidate / "refs")))
            return HubRepo{candidate, *id};
    }
    return std::nullopt;
}

HubSnapshot chooseSnapshot(const HubRepo& repo)
{
    std::vector<fs::path> snapshots = childrenOf(repo.folder / "snapshots");
    std::erase_if(snapshots, [](const fs::path& path) { return !isFolder(path); });
    const fs::path main = repo.folder / "refs" / "main";
    std::error_code code;
    if (fs::exists(fs::symlink_status(main, code))) {
        const std::string commit = readRef(main);
        if (commit.empty())
            return {{}, "refs/main holds no commit", {}};
        if (isFolder(repo.folder / "snapshots" / commit))
            return {repo.folder / "snapshots" / commit, {}, {}};
        return {{}, "refs/main names the snapshot " + commit + ", which is absent", {}};
    }
    if (snapshots.empty())
        return {{}, childrenOf(repo.folder / "blobs").empty() ? "" : "no snapshot, though there are blobs", {}};
    const fs::path chosen = newest(snapshots);
    const std::string which = snapshots.size() == 1
        ? "the only snapshot"
        : "the newest of " + std::to_string(snapshots.size()) + " snapshots";
    return {chosen, {}, "there is no refs/main: " + which + " was taken, " + toUtf8(chosen.filename().native())};
}

std::vector<IncompleteBlob> findIncompleteBlobs(const HubRepo& repo)
{
    std::vector<IncompleteBlob> found;
    for (const fs::path& file : childrenOf(repo.folder / "blobs")) {
        const std::string name = file.filename().native();
        if (!name.ends_with(kIncomplete))
            continue;
        const std::string etag = etagOf(name);
        std::error_code code;
        const bool whole = fs::is_regular_file(fs::symlink_status(repo.folder / "blobs" / etag, code));
        found.push_back({"blobs/" + toUtf8(name), etag, sizeOf(file), whole});
    }
    return found;
}

std::vector<IncompleteBlob> findIncompleteLocalFiles(const fs::path& folder)
{
    std::vector<IncompleteBlob> found;
    const fs::path downloads = folder / ".cache" / "huggingface" / "download";
    for (const fs::path& file : childrenOf(downloads)) {
        const std::string name = file.filename().native();
        if (!name.ends_with(kIncomplete))
            continue;
        // "<file name>.<etag>" in older versions, "<hash>.<etag>" in newer ones: does the file stand in the folder?
        bool whole = false;
        std::string target = name.substr(0, name.size() - kIncomplete.size());
        for (std::size_t dot = target.rfind('.'); dot != std::string::npos && !whole; dot = target.rfind('.')) {
            target.resize(dot);
            std::error_code code;
            whole = !target.empty() && fs::is_regular_file(folder / target, code);
        }
        found.push_back({".cache/huggingface/download/" + toUtf8(name), etagOf(name), sizeOf(file), whole});
    }
    return found;
}

} // namespace loadlab
