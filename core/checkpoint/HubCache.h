#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// models--org--name of a Hugging Face cache (MODEL_FACTS 5.5).
struct HubRepo {
    std::filesystem::path folder;
    std::string id; ///< "org/name", UTF-8.
};

/// The repo of a folder models--… or of one of its snapshots; nothing for any other folder.
std::optional<HubRepo> findHubRepo(const std::filesystem::path& folder);
/// "org/name" of "models--org--name"; nothing for any other folder name.
std::optional<std::string> hubIdOf(std::string_view folderName);
/// Whether it has the form under which models are published: "org/name".
bool isPublishedName(std::string_view name);

/// The snapshot that stands for a repo: the one that refs/main names; without that ref the
/// newest, with a note.
struct HubSnapshot {
    std::filesystem::path folder; ///< Empty: none.
    std::string problem; ///< Why none, in words; empty where the repo holds nothing at all.
    std::string note;
};
HubSnapshot chooseSnapshot(const HubRepo& repo);

/// A download that was not finished: blobs/<etag>.incomplete or <etag>.<8 hex>.incomplete.
struct IncompleteBlob {
    std::string name; ///< Relative to the repo, UTF-8.
    std::string etag;
    std::uint64_t sizeBytes = 0; ///< So far.
    bool isLeftOver = false; ///< The whole blob is there too.
};
std::vector<IncompleteBlob> findIncompleteBlobs(const HubRepo& repo);

/// Downloads with local_dir keep theirs below .cache/huggingface/download of the folder. Names relative to the folder.
std::vector<IncompleteBlob> findIncompleteLocalFiles(const std::filesystem::path& folder);

} // namespace loadlab
