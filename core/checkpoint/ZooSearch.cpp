#include "core/checkpoint/ZooSearch.h"

#include "core/Text.h"
#include "core/checkpoint/FolderListing.h"
#include "core/checkpoint/HubCache.h"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

/// What one folder holds, by names alone.
struct Contents {
    std::vector<fs::path> folders;
    std::vector<std::string> weights;
    bool hasConfig = false;
    bool hasIndex = false;
    bool hasCompanion = false; ///< Tokenizer and the like.
    bool isEmpty = true;
};

fs::path withoutSlash(const fs::path& folder)
{
    std::error_code code;
    const fs::path absolute = fs::absolute(folder, code).lexically_normal();
    return absolute.has_filename() ? absolute : absolute.parent_path();
}

bool isFolderEntry(const fs::directory_entry& entry)
{
    std::error_code code;
    return entry.is_directory(code); // follows links
}

/// Files that make one checkpoint whatever stands beside them: model*.safetensors and shards.
bool isNamedAsModel(const std::string& name)
{
    return name.starts_with("model.") || name.starts_with("model-") || name.starts_with("pytorch_model")
        || name.starts_with("adapter_model");
}

Result<Contents> read(const fs::path& folder)
{
    Contents contents;
    std::error_code code;
    for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
        contents.isEmpty = false;
        const std::string name = at->path().filename().native();
        if (name.starts_with('.'))
            continue;
        const std::string_view role = roleOf(name);
        if (role == "other" || role == "code") {
            if (isFolderEntry(*at))
                contents.folders.push_back(at->path());
            continue;
        }
        contents.hasConfig = contents.hasConfig || role == "config";
        contents.hasIndex = contents.hasIndex || role == "index";
        contents.hasCompanion = contents.hasCompanion || role == "tokenizer" || role == "generation_config";
        if (role == "weights")
            contents.weights.push_back(name);
    }
    if (code)
        return Error{code == std::errc::no_such_file_or_directory ? ErrorKind::NotFound : ErrorKind::Io,
            toUtf8(folder.native()) + ": " + code.message()};
    std::sort(contents.folders.begin(), contents.folders.end());
    std::sort(contents.weights.begin(), contents.weights.end());
    return contents;
}

class Walk {
public:
    explicit Walk(const std::stop_token& stop)
        : m_stop(stop)
    {
    }

    ZooCandidates run(const fs::path& root)
    {
        const fs::path absolute = withoutSlash(root);
        if (const std::optional<HubRepo> repo = findHubRepo(absolute); repo && repo->folder == absolute)
            add(root, repo->id);
        else if (const Result<void> opened = enter(root, 0); !opened)
            m_result.error = opened.error();
        std::stable_sort(m_result.found.begin(), m_result.found.end(),
            [](const ZooCandidate& a, const ZooCandidate& b) { return a.name < b.name; });
        return std::move(m_result);
    }

private:
    Result<void> enter(const fs::path& folder, int depth)
    {
        struct stat status { };
        if (::stat(folder.c_str(), &status) != 0) {
            const int code = errno;
            return Error{code == ENOENT || code == ENOTDIR ? ErrorKind::NotFound : ErrorKind::Io,
                toUtf8(folder.native()) + ": " + std::generic_category().message(code)};
        }
        if (!S_ISDIR(status.st_mode))
            return Error{ErrorKind::Invalid, toUtf8(folder.native()) + ": is no folder"};
        if (!m_entered.emplace(status.st_dev, status.st_ino).second)
            return {};
        const Result<Contents> contents = read(folder);
        if (!contents)
            return contents.error();
        examine(folder, *contents, depth);
        return {};
    }

    void add(const fs::path& path, std::string name) { m_result.found.push_back({path, std::move(name)}); }
    void addFolder(const fs::path& folder)
    {
        const fs::path absolute = withoutSlash(folder);
        const std::optional<HubRepo> repo = findHubRepo(absolute); // a snapshot's own name is a commit
        add(folder, repo ? repo->id : toUtf8(absolute.filename().native()));
    }

    void examine(const fs::path& folder, const Contents& contents, int depth)
    {
        const bool named = std::any_of(contents.weights.begin(), contents.weights.end(), isNamedAsModel);
        if (contents.hasIndex || named || (contents.hasConfig && !contents.weights.empty()))
            return addFolder(folder);
        for (const std::string& file : contents.weights)
            add(folder / file, toUtf8(file));
        if (depth == 1 && contents.isEmpty)
            return addFolder(folder);
        const std::size_t before = m_result.found.size();
        if (depth < kZooDepth)
            descend(contents, depth);
        const bool weak = contents.hasConfig || (contents.hasCompanion && contents.weights.empty());
        if (weak && m_result.found.size() == before)
            addFolder(folder);
    }

    void descend(const Contents& contents, int depth)
    {
        for (const fs::path& child : contents.folders) {
            if (m_stop.stop_requested())
                return;
            if (const std::optional<HubRepo> repo = findHubRepo(child); repo && repo->folder == child) {
                m_result.isHubCache = true;
                add(child, repo->id);
                continue;
            }
            // Directly below the zoo a folder that may not be read is most likely a model; further down it holds nothing
            // for us.
            if (const Result<void> entered = enter(child, depth + 1);
                !entered && depth == 0 && entered.error().kind == ErrorKind::Io)
                addFolder(child);
        }
    }

    const std::stop_token& m_stop;
    ZooCandidates m_result;
    std::set<std::pair<dev_t, ino_t>> m_entered;
};

} // namespace

ZooCandidates findCandidates(const fs::path& folder, const std::stop_token& stop)
{
    return Walk(stop).run(folder);
}

} // namespace loadlab
