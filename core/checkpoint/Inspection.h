#pragma once

#include "core/checkpoint/Checkpoint.h"
#include "core/checkpoint/Findings.h"
#include "core/checkpoint/ShardIndex.h"
#include "core/checkpoint/TensorTable.h"
#include "core/checkpoint/WeightFiles.h"

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace loadlab {

/// One inspection at work: fills a Checkpoint step by step. Not thread-safe; reading shards in parallel is inside.
class Inspection {
public:
    Inspection(Checkpoint& into, const FamilyCatalog& families, const InspectOptions& options);

    /// A folder with config, weights and companions. Errors: Io where the folder cannot be listed.
    Result<void> folder(const std::filesystem::path& folder, bool isSnapshot);
    /// One file, judged by its own bytes. A link is followed wherever it leads: the operator named it.
    void singleFile(const std::filesystem::path& path, const RegularFile& file);

    Findings& findings() { return m_findings; }
    /// Sets state, fingerprint and estimates from what was found.
    void finish();

private:
    void readConfig(const FolderEntry& entry);
    void readCompanion(const FolderEntry& entry, std::string_view role);
    void readQuantConfig(const FolderEntry& entry);
    void checkRemoteCode();
    void checkAbsentConfig(const std::vector<FolderEntry>& entries);

    void weights(const std::vector<FolderEntry>& entries);
    void shardedWeights(const WeightChoice& choice);
    /// The index, with its own problems reported; nothing where it is of no use.
    std::optional<ShardIndex> readIndex(const FolderEntry& entry);
    void leftAside(const std::vector<FolderEntry>& entries, const ShardIndex* index);
    /// Reads these files; problems of files that are no files are reported here.
    void loadFiles(const std::vector<FolderEntry>& files, const ShardIndex* index);
    void judgeLoaded(const FolderEntry& entry, LoadedWeights& loaded);
    void judgeTails();
    void checkIndex(const ShardIndex& index, const std::string& indexName, const TensorTable& table);
    void torchFiles(std::vector<FolderEntry> files, const FolderEntry* index);
    void torchFile(const FolderEntry& entry);
    void otherFormats(const std::vector<FolderEntry>& files);

    void family();
    void countTensors(const TensorTable& table);
    void structure(const TensorTable& table);
    void fingerprint();

    Checkpoint& m_checkpoint;
    const FamilyCatalog& m_families;
    const InspectOptions& m_options;
    Findings m_findings;
    std::filesystem::path m_folder;
    std::shared_ptr<const nlohmann::json> m_quantConfig;
    std::string m_configText;
    struct Tail {
        std::size_t file; ///< Index into weightFiles.
        TailSample sample;
    };
    std::vector<Tail> m_tails;
    const Family* m_family = nullptr;
    bool m_isFolder = false;
    bool m_onlyUnreadFormats = false;
};

} // namespace loadlab
