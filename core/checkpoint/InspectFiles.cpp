#include "core/checkpoint/Inspection.h"

#include "core/Text.h"
#include "core/checkpoint/QuantizationScan.h"
#include "core/checkpoint/TorchFile.h"

#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

/// .safetensors by its name; any other name by the first bytes, since a header's length is small and ends in zeros.
bool isSafetensorsFile(const RegularFile& file, std::string_view name)
{
    if (name.ends_with(".safetensors"))
        return true;
    const Result<std::string> head = file.readHead(9);
    return head && head->size() == 9 && (*head)[8] == '{' && head->substr(4, 4) == std::string(4, '\0');
}

} // namespace

void Inspection::singleFile(const std::filesystem::path& path, const RegularFile& file)
{
    m_folder = path.parent_path();
    m_checkpoint.shardsExpected = 1;
    const FolderEntry entry{path.filename().native(), EntryKind::File, file.sizeBytes(), {}};
    if (!isSafetensorsFile(file, entry.name))
        return torchFiles({entry}, nullptr);
    loadFiles({entry}, nullptr);
    const TensorTable table(m_checkpoint.weightFiles);
    countTensors(table);
    m_checkpoint.quantization = scanQuantization(nullptr, nullptr, table, m_findings);
}

void Inspection::torchFiles(std::vector<FolderEntry> files, const FolderEntry* indexEntry)
{
    if (const std::optional<ShardIndex> index = indexEntry != nullptr ? readIndex(*indexEntry) : std::nullopt) {
        files.clear();
        for (const std::string& name : index->files)
            files.push_back(lookUp(m_folder, name));
    }
    m_checkpoint.shardsExpected = static_cast<std::uint32_t>(files.size());
    for (const FolderEntry& entry : files) {
        m_findings.file(entry, "weights");
        if (entry.kind == EntryKind::File)
            torchFile(entry);
        else if (entry.kind == EntryKind::Absent)
            m_findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, entry.name,
                "is absent, though the index promises it");
        else
            m_findings.problem(entry);
    }
    m_onlyUnreadFormats = m_onlyUnreadFormats || m_checkpoint.isPickle;
    if (m_checkpoint.isTorchScript)
        m_findings.note("TorchScript is a program: it is run only with --option allow_torchscript=true");
}

void Inspection::torchFile(const FolderEntry& entry)
{
    CheckpointFile& row = m_findings.file(entry, "weights");
    const Result<RegularFile> file = RegularFile::open(m_folder / entry.name);
    const Result<TorchFile> torch = file ? examineTorchFile(*file) : Result<TorchFile>(file.error());
    ++m_checkpoint.shardsPresent;
    if (!torch) {
        row.check = "not readable";
        return m_findings.unreadable(entry.name, torch.error());
    }
    row.check = !torch->defect ? torch->format : torch->defect->isPointer ? "pointer" : toUtf8(torch->defect->text);
    if (torch->defect)
        m_findings.problem(entry.name, *torch->defect);
    m_checkpoint.weightBytes += torch->weightBytes;
    for (const auto& [dtype, elements] : torch->dtypes) {
        m_checkpoint.dtypes[dtype] += elements;
        m_checkpoint.parameters += elements;
    }
    if (torch->kind == TorchFileKind::TorchScript) {
        m_checkpoint.isTorchScript = true;
        m_checkpoint.familyTitle = m_checkpoint.familyTitle.empty() ? "TorchScript" : m_checkpoint.familyTitle;
    } else if (torch->kind == TorchFileKind::Pickle) {
        m_checkpoint.isPickle = true;
        m_findings.problem(CheckpointState::Complete, FailureMode::RemoteCodeRefused, entry.name,
            "pickled weights: reading them runs what the file says, and LoadLab never does. Convert them to "
            "safetensors where "
            "you trust them, or fetch the model's safetensors files");
    } else if (torch->kind == TorchFileKind::OtherFormat) {
        m_onlyUnreadFormats = true;
    }
}

void Inspection::otherFormats(const std::vector<FolderEntry>& files)
{
    m_checkpoint.shardsExpected = static_cast<std::uint32_t>(files.size());
    for (const FolderEntry& entry : files) {
        CheckpointFile& row = m_findings.file(entry, "weights");
        if (entry.kind != EntryKind::File) {
            m_findings.problem(entry);
            continue;
        }
        ++m_checkpoint.shardsPresent;
        const Result<RegularFile> file = RegularFile::open(m_folder / entry.name);
        const Result<std::optional<FileDefect>> head
            = file ? checkPointer(*file) : Result<std::optional<FileDefect>>(file.error());
        row.check = "no backend reads this format";
        if (!head)
            m_findings.unreadable(entry.name, head.error());
        else if (*head)
            m_findings.problem(entry.name, **head);
        m_onlyUnreadFormats = true;
    }
}

} // namespace loadlab
