#include "core/checkpoint/WeightFiles.h"

#include "core/checkpoint/RegularFile.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

namespace loadlab {
namespace {

constexpr std::string_view kSuffix = ".safetensors";
/// Below this many files a thread costs more than it saves.
constexpr std::size_t kFilesPerThread = 4;

/// "model-00001-of-00015.safetensors": the number of shards, and the text before and after the first number.
struct ShardName {
    std::string stem;
    unsigned long count = 0;
};

bool isDigits(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<ShardName> parseShardName(std::string_view name)
{
    constexpr std::size_t tail = std::string_view("-00001-of-00015").size();
    if (!name.ends_with(kSuffix) || name.size() < kSuffix.size() + tail)
        return std::nullopt;
    const std::string_view stem = name.substr(0, name.size() - kSuffix.size());
    const std::string_view numbers = stem.substr(stem.size() - tail);
    if (numbers[0] != '-' || !isDigits(numbers.substr(1, 5)) || numbers.substr(6, 4) != "-of-"
        || !isDigits(numbers.substr(10, 5)))
        return std::nullopt;
    return ShardName{std::string(stem.substr(0, stem.size() - tail)), std::stoul(std::string(numbers.substr(10, 5)))};
}

std::string shardFile(const ShardName& name, unsigned long number)
{
    std::array<char, 32> numbers{};
    std::snprintf(numbers.data(), numbers.size(), "-%05lu-of-%05lu", number, name.count);
    return name.stem + numbers.data() + std::string(kSuffix);
}

bool isSafetensors(const FolderEntry& entry)
{
    return entry.kind != EntryKind::Folder && entry.name.ends_with(kSuffix);
}

bool isIndex(const FolderEntry& entry, std::string_view of)
{
    return entry.kind != EntryKind::Folder && entry.name.find(std::string(of) + ".index.") != std::string::npos
        && entry.name.ends_with(".json");
}

bool isTorch(const FolderEntry& entry)
{
    return entry.kind != EntryKind::Folder
        && (entry.name.ends_with(".bin") || entry.name.ends_with(".pt") || entry.name.ends_with(".pth")
            || entry.name.ends_with(".ckpt"));
}

/// By name; all lists here are sorted, as the folder's listing is.
const FolderEntry* find(const std::vector<FolderEntry>& entries, std::string_view name)
{
    const auto found = std::lower_bound(
        entries.begin(), entries.end(), name, [](const FolderEntry& e, std::string_view n) { return e.name < n; });
    return found == entries.end() || found->name != name ? nullptr : &*found;
}

template <typename F> std::vector<FolderEntry> those(const std::vector<FolderEntry>& entries, F&& wanted)
{
    std::vector<FolderEntry> chosen;
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(chosen), wanted);
    return chosen;
}

/// All shards that the names promise; those that are not there as absent entries.
std::vector<FolderEntry> shardsOf(const std::vector<FolderEntry>& entries, const ShardName& name)
{
    constexpr unsigned long most = 10'000;
    std::vector<FolderEntry> shards;
    for (unsigned long i = 1; i <= std::min(name.count, most); ++i) {
        const std::string file = shardFile(name, i);
        const FolderEntry* entry = find(entries, file);
        shards.push_back(entry != nullptr ? *entry : FolderEntry{file, EntryKind::Absent, 0, "absent"});
    }
    return shards;
}

using Kind = WeightChoice::Kind;

WeightChoice single(const FolderEntry& file)
{
    return {Kind::Single, {file}, {}, {}};
}

/// The safetensors files, by the names that transformers knows, then by any name.
WeightChoice chooseSafetensors(const std::vector<FolderEntry>& entries)
{
    if (const FolderEntry* file = find(entries, "model.safetensors"))
        return single(*file);
    const std::vector<FolderEntry> indexes = those(entries, [](const FolderEntry& e) { return isIndex(e, kSuffix); });
    if (const FolderEntry* index = find(indexes, "model.safetensors.index.json"))
        return {Kind::Index, {}, *index, {}};
    if (!indexes.empty())
        return {Kind::Index, {}, indexes.front(), {}};
    const std::vector<FolderEntry> files = those(entries, isSafetensors);
    for (const FolderEntry& file : files)
        if (const std::optional<ShardName> shard = parseShardName(file.name))
            return {Kind::ShardsWithoutIndex, shardsOf(entries, *shard), {}, {}};
    if (files.size() == 1)
        return single(files.front());
    for (const FolderEntry& file : files) // model.fp16.safetensors beside others
        if (file.name.starts_with("model."))
            return single(file);
    return files.empty() ? WeightChoice{} : WeightChoice{Kind::Several, files, {}, {}};
}

WeightChoice choose(const std::vector<FolderEntry>& entries, const nlohmann::json* config)
{
    if (config != nullptr && config->contains("transformers_weights") && config->at("transformers_weights").is_string())
        if (const FolderEntry* named = find(entries, config->at("transformers_weights").get<std::string>());
            named != nullptr)
            return isSafetensors(*named)   ? single(*named)
                : isIndex(*named, kSuffix) ? WeightChoice{Kind::Index, {}, *named, {}}
                                           : WeightChoice{};
    WeightChoice choice = chooseSafetensors(entries);
    if (choice.kind != Kind::None)
        return choice;
    const auto weights = those(
        entries, [](const FolderEntry& e) { return e.kind != EntryKind::Folder && roleOf(e.name) == "weights"; });
    const auto torch = those(weights, isTorch);
    if (!torch.empty()) {
        const auto indexes = those(entries, [](const FolderEntry& e) { return isIndex(e, ".bin"); });
        return {Kind::Torch, torch, indexes.empty() ? FolderEntry{} : indexes.front(), {}};
    }
    return weights.empty() ? WeightChoice{} : WeightChoice{Kind::OtherFormat, weights, {}, {}};
}

LoadedWeights loadOne(const std::filesystem::path& path, const InspectOptions& options)
{
    LoadedWeights loaded;
    const Result<RegularFile> file = RegularFile::open(path);
    if (!file) {
        loaded.error = file.error();
        return loaded;
    }
    Result<SafetensorsHeader> header = SafetensorsHeader::read(*file);
    if (!header) {
        loaded.error = header.error();
        return loaded;
    }
    loaded.header = std::make_shared<const SafetensorsHeader>(std::move(*header));
    if (options.sampleTails && loaded.header->usable()) {
        Result<TailSample> tail = sampleTail(*file, loaded.header->dataOffset());
        if (tail)
            loaded.tail = *tail;
        else
            loaded.error = tail.error();
    }
    return loaded;
}

} // namespace

WeightChoice chooseWeights(const std::vector<FolderEntry>& entries, const nlohmann::json* config)
{
    WeightChoice choice = choose(entries, config);
    for (const FolderEntry& entry : entries) {
        const std::string_view role = roleOf(entry.name);
        const bool used = entry.name == choice.index.name || find(choice.files, entry.name) != nullptr;
        if (entry.kind != EntryKind::Folder && !used && (role == "weights" || role == "index"))
            choice.leftAside.push_back(entry);
    }
    return choice;
}

std::vector<LoadedWeights> loadWeights(const std::vector<std::filesystem::path>& files, const InspectOptions& options)
{
    std::vector<LoadedWeights> loaded(files.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < files.size() && !options.stop.stop_requested(); i = next++)
            loaded[i] = loadOne(files[i], options);
    };
    const std::size_t most
        = options.threads != 0 ? options.threads : std::min(4U, std::max(1U, std::thread::hardware_concurrency()));
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(most, files.size() / kFilesPerThread); ++i)
        others.emplace_back(work);
    work();
    others.clear(); // joins
    return loaded;
}

} // namespace loadlab
