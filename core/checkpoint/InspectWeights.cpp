#include "core/checkpoint/Inspection.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/HeaderText.h"
#include "core/checkpoint/QuantizationScan.h"
#include "core/checkpoint/StructureReport.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace loadlab {
namespace {

/// Words for the file table.
std::string checkWords(const SafetensorsHeader& header)
{
    if (header.isLfsPointer())
        return "pointer";
    if (header.usable())
        return "header and size ok";
    const bool cut = std::none_of(header.defects().begin(), header.defects().end(),
        [](const HeaderDefect& defect) { return defect.mode == FailureMode::CorruptFile && !defect.tolerated; });
    return cut ? "cut short" : "corrupt";
}

CheckpointState stateOf(const HeaderDefect& defect, bool isPointer)
{
    if (defect.tolerated)
        return CheckpointState::Complete;
    if (isPointer)
        return CheckpointState::Pointer;
    return defect.mode == FailureMode::CorruptFile ? CheckpointState::Corrupt : CheckpointState::Incomplete;
}

} // namespace

void Inspection::weights(const std::vector<FolderEntry>& entries)
{
    const WeightChoice choice = chooseWeights(entries, m_checkpoint.config.get());
    using Kind = WeightChoice::Kind;
    switch (choice.kind) {
    case Kind::None:
        m_checkpoint.shardsExpected = 1;
        m_findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, "",
            "no weights: neither model.safetensors nor model.safetensors.index.json nor another file of weights is "
            "here");
        return;
    case Kind::Index:
        shardedWeights(choice);
        return;
    case Kind::Torch:
        torchFiles(choice.files, choice.index.name.empty() ? nullptr : &choice.index);
        return;
    case Kind::OtherFormat:
        otherFormats(choice.files);
        return;
    case Kind::ShardsWithoutIndex:
        m_findings.file({"model.safetensors.index.json", EntryKind::Absent, 0, "absent"}, "index");
        m_findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, "model.safetensors.index.json",
            "is absent, though the weights are in " + formatCount(choice.files.size())
                + " shards: fetch it or rebuild it");
        break;
    case Kind::Several:
        m_findings.note("no index: the " + formatCount(choice.files.size()) + " safetensors files were taken together");
        break;
    case Kind::Single:
        break;
    }
    m_checkpoint.shardsExpected = static_cast<std::uint32_t>(choice.files.size());
    loadFiles(choice.files, nullptr);
    leftAside(choice.leftAside, nullptr);
    const TensorTable table(m_checkpoint.weightFiles);
    countTensors(table);
    structure(table);
}

std::optional<ShardIndex> Inspection::readIndex(const FolderEntry& entry)
{
    CheckpointFile& row = m_findings.file(entry, "index");
    if (entry.kind != EntryKind::File) {
        m_findings.problem(entry);
        return std::nullopt;
    }
    const Result<RegularFile> file = RegularFile::open(m_folder / entry.name);
    Result<ShardIndex> index = file ? readShardIndex(*file) : Result<ShardIndex>(file.error());
    if (!index) {
        row.check = "not readable";
        m_findings.unreadable(entry.name, index.error());
        return std::nullopt;
    }
    row.check = !index->defect ? "ok" : index->defect->isPointer ? "pointer" : toUtf8(index->defect->text);
    if (index->defect) {
        m_findings.problem(entry.name, *index->defect);
        return std::nullopt;
    }
    if (!index->hasMetadata)
        m_findings.note(entry.name + " has no metadata: transformers refuses such an index");
    return std::move(*index);
}

void Inspection::shardedWeights(const WeightChoice& choice)
{
    const std::optional<ShardIndex> index = readIndex(choice.index);
    if (!index)
        return;
    m_checkpoint.shardsExpected = static_cast<std::uint32_t>(index->files.size());
    std::vector<FolderEntry> files;
    for (const std::string& name : index->files)
        files.push_back(lookUp(m_folder, name));
    loadFiles(files, &*index);
    leftAside(choice.leftAside, &*index);
    const TensorTable table(m_checkpoint.weightFiles);
    countTensors(table);
    checkIndex(*index, choice.index.name, table);
    structure(table);
}

void Inspection::leftAside(const std::vector<FolderEntry>& entries, const ShardIndex* index)
{
    NameSample names;
    for (const FolderEntry& entry : entries) {
        if (index != nullptr && std::binary_search(index->files.begin(), index->files.end(), entry.name))
            continue;
        m_findings.file(entry, roleOf(entry.name)).check = "left aside";
        names.add(entry.name);
    }
    if (names.count() > 0)
        m_findings.note("further weights that are not used: " + names.words());
}

void Inspection::loadFiles(const std::vector<FolderEntry>& files, const ShardIndex* index)
{
    std::vector<std::uint64_t> promised(files.size(), 0);
    if (index != nullptr)
        for (const ShardIndex::Entry& entry : index->entries)
            ++promised[entry.file];
    std::vector<std::size_t> readable;
    std::vector<std::filesystem::path> paths;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const FolderEntry& entry = files[i];
        m_findings.file(entry, "weights");
        if (entry.kind == EntryKind::File) {
            readable.push_back(i);
            paths.push_back(m_folder / entry.name);
        } else if (entry.kind == EntryKind::Outside && index != nullptr) {
            m_findings.problem(CheckpointState::Corrupt, FailureMode::CorruptFile, entry.name,
                "the index names it for " + formatCount(promised[i], "tensor") + ", but it " + entry.detail);
        } else if (entry.kind == EntryKind::Absent) {
            m_findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, entry.name,
                index != nullptr ? "is absent: the index promises it for " + formatCount(promised[i], "tensor")
                                 : "is absent: the names of the other shards promise it");
        } else {
            m_findings.problem(entry);
        }
    }
    std::vector<LoadedWeights> loaded = loadWeights(paths, m_options);
    for (std::size_t i = 0; i < readable.size(); ++i)
        judgeLoaded(files[readable[i]], loaded[i]);
    judgeTails();
}

void Inspection::judgeLoaded(const FolderEntry& entry, LoadedWeights& loaded)
{
    CheckpointFile& row = m_findings.file(entry, "weights");
    ++m_checkpoint.shardsPresent;
    if (loaded.error) {
        row.check = "not readable";
        m_findings.unreadable(entry.name, *loaded.error);
    }
    if (!loaded.header)
        return;
    const SafetensorsHeader& header = *loaded.header;
    row.check = checkWords(header);
    row.sizeBytes = header.fileBytes();
    for (const HeaderDefect& defect : header.defects())
        m_findings.problem(stateOf(defect, header.isLfsPointer()), defect.mode, entry.name, defect.text);
    for (const std::string& remark : header.remarks())
        m_findings.note(entry.name + ": " + remark);
    if (loaded.tail)
        m_tails.push_back({m_checkpoint.weightFiles.size(), *loaded.tail});
    m_checkpoint.weightFiles.push_back({m_folder / entry.name, toUtf8(entry.name), loaded.header});
}

/// Zeros at the end of a file. A file of nothing but zeros among others that are not is suspicious; alone it may be a
/// stand-in.
void Inspection::judgeTails()
{
    std::size_t zeroFiles = 0;
    for (const Tail& tail : m_tails)
        zeroFiles += tail.sample.isAllZero ? 1 : 0;
    for (const Tail& tail : m_tails) {
        const Checkpoint::WeightFile& file = m_checkpoint.weightFiles[tail.file];
        std::optional<std::string> text = judgeTail(tail.sample, *file.header);
        const bool large = file.header->fileBytes() - file.header->dataOffset() >= std::uint64_t{1} << 20;
        if (tail.sample.isAllZero && large && zeroFiles < m_tails.size())
            text = "all samples of its data are zeros, unlike those of the other files: the download reserved its room "
                   "and was not finished";
        if (!text)
            continue;
        for (CheckpointFile& row : m_checkpoint.files)
            if (row.name == file.name)
                row.check = "zeros at the end";
        m_findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, file.name, *text);
    }
    if (zeroFiles > 0 && zeroFiles == m_tails.size())
        m_findings.note("all samples of the data are zeros: a stand-in, or nothing was written after the header");
    m_tails.clear();
}

void Inspection::checkIndex(const ShardIndex& index, const std::string& indexName, const TensorTable& table)
{
    std::unordered_map<std::string_view, const Checkpoint::WeightFile*> usable;
    for (const Checkpoint::WeightFile& file : m_checkpoint.weightFiles)
        if (file.header->usable())
            usable.emplace(file.path.native(), &file);
    std::vector<const Checkpoint::WeightFile*> byFile(index.files.size(), nullptr);
    for (std::size_t i = 0; i < index.files.size(); ++i)
        if (const auto found = usable.find((m_folder / index.files[i]).native()); found != usable.end())
            byFile[i] = found->second;
    const bool once = table.repeats().count == 0; // else a tensor may well be where the index says, too
    std::vector<NameSample> absent(index.files.size());
    NameSample elsewhere;
    std::size_t found = 0;
    for (const ShardIndex::Entry& entry : index.entries) {
        const std::optional<std::size_t> stored = table.find(entry.tensor);
        found += stored ? 1 : 0;
        if (byFile[entry.file] == nullptr)
            continue; // the file's own problem says it
        if (!stored)
            absent[entry.file].add(entry.tensor);
        else if (once && &m_checkpoint.weightFiles[table.place(*stored).file] != byFile[entry.file])
            elsewhere.add(entry.tensor);
    }
    for (std::size_t i = 0; i < absent.size(); ++i)
        if (absent[i].count() > 0)
            m_findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, index.files[i],
                absent[i].counted() + " that the index promises here are not in the file: " + absent[i].words());
    if (elsewhere.count() > 0)
        m_findings.problem(CheckpointState::Complete, FailureMode::CorruptFile, indexName,
            "names the wrong file for " + elsewhere.counted() + ": " + elsewhere.words() + "; rebuild it");
    if (table.count() > found)
        m_findings.note(formatCount(table.count() - found, "tensor") + " in the shards are not in the index");
    const bool whole = m_findings.state() >= CheckpointState::Unsupported;
    if (whole && index.totalSizeBytes && *index.totalSizeBytes != m_checkpoint.weightBytes)
        m_findings.note("the index says total_size " + formatCount(*index.totalSizeBytes) + ", the tensors have "
            + formatCount(m_checkpoint.weightBytes) + " bytes");
}

void Inspection::countTensors(const TensorTable& table)
{
    const Family* family = m_family != nullptr ? m_family : m_families.generic();
    std::map<std::string_view, Component> components;
    std::array<std::uint64_t, kDtypeCount> elements{};
    for (std::size_t i = 0; i < table.count(); ++i) {
        const SafetensorsHeader::Tensor tensor = table.tensor(i);
        const std::uint64_t count = tensor.elements();
        Component& component
            = components[family != nullptr ? family->componentOf(tensor.name) : std::string_view("other")];
        ++component.tensors;
        component.parameters += count;
        component.sizeBytes += tensor.sizeBytes();
        elements[static_cast<std::size_t>(tensor.dtype)] += count;
        m_checkpoint.parameters += count;
        m_checkpoint.weightBytes += tensor.sizeBytes();
    }
    m_checkpoint.tensorCount = table.count();
    for (auto& [name, component] : components) {
        component.name = name;
        component.title = family != nullptr ? family->titleOfComponent(name) : name;
        m_checkpoint.components.push_back(std::move(component));
    }
    std::stable_sort(m_checkpoint.components.begin(), m_checkpoint.components.end(),
        [](const Component& a, const Component& b) { return a.sizeBytes > b.sizeBytes; });
    for (std::size_t i = 0; i < kDtypeCount; ++i)
        if (elements[i] > 0)
            m_checkpoint.dtypes[std::string(toHeaderName(static_cast<Dtype>(i)))] = elements[i];
    if (const TensorTable::Repeats& repeats = table.repeats(); repeats.count > 0)
        m_findings.note(formatCount(repeats.count, "tensor") + " stored in more than one file, first "
            + inQuotes(repeats.name) + " in " + m_checkpoint.weightFiles[repeats.firstFile].name + " and "
            + m_checkpoint.weightFiles[repeats.otherFile].name + "; counted once");
}

void Inspection::structure(const TensorTable& table)
{
    m_checkpoint.quantization = scanQuantization(m_checkpoint.config.get(), m_quantConfig.get(), table, m_findings);
    if (m_family == nullptr || m_findings.state() < CheckpointState::Unsupported || table.count() == 0)
        return; // what is missing is known already, or nothing is expected
    const Result<std::vector<ExpectedTensor>> expected = m_family->expectedTensors(*m_checkpoint.config);
    if (!expected && expected.error().kind == ErrorKind::NotFound)
        return m_findings.note(expected.error().message + ": names and shapes were not compared");
    if (!expected)
        return m_findings.problem(CheckpointState::Complete, FailureMode::StructureMismatch, "config.json",
            "does not describe a " + m_family->title() + " model: " + expected.error().message);
    const StructureReport report = compareStructure(*expected, table, *m_family);
    if (report.missing.count() > 0)
        m_findings.problem(CheckpointState::Incomplete, FailureMode::StructureMismatch, "",
            report.missing.counted() + " that config.json promises are in no file: " + report.missing.words());
    if (report.misshaped.count() > 0)
        m_findings.problem(CheckpointState::Complete, FailureMode::StructureMismatch, "",
            report.misshaped.counted() + " with another shape than config.json promises: " + report.misshaped.words()
                + "; the first is " + toText(report.storedShape) + " instead of " + toText(report.expectedShape));
    if (report.unexpected.count() > 0)
        m_findings.note(
            report.unexpected.counted() + " beyond what config.json promises: " + report.unexpected.words());
}

} // namespace loadlab
