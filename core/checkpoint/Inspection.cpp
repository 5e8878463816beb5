#include "core/checkpoint/Inspection.h"

#include "core/Digest.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/Estimates.h"
#include "core/checkpoint/HubCache.h"
#include "core/checkpoint/QuantizationScan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using Json = nlohmann::json;

std::string textAt(const Json& json, const char* key)
{
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? toUtf8(found->get<std::string>()) : std::string();
}

/// dtype in its two spellings, here or in a sub-config.
std::string dtypeOf(const Json& config)
{
    for (const char* key : {"dtype", "torch_dtype"})
        if (const std::string dtype = textAt(config, key); !dtype.empty())
            return dtype;
    for (const char* sub : {"text_config", "thinker_config", "llm_config"})
        if (const auto found = config.find(sub); found != config.end() && found->is_object())
            if (const std::string dtype = dtypeOf(*found); !dtype.empty())
                return dtype;
    return {};
}

bool belongs(const FolderEntry& entry)
{
    const std::string_view role = roleOf(entry.name);
    return entry.kind != EntryKind::Folder && role != "other" && role != "code";
}

} // namespace

Inspection::Inspection(Checkpoint& into, const FamilyCatalog& families, const InspectOptions& options)
    : m_checkpoint(into)
    , m_families(families)
    , m_options(options)
    , m_findings(into)
{
}

Result<void> Inspection::folder(const std::filesystem::path& folder, bool isSnapshot)
{
    m_folder = folder;
    m_isFolder = true;
    const Result<std::vector<FolderEntry>> listed = listFolder(folder);
    if (!listed)
        return listed.error();
    const std::vector<FolderEntry>& entries = *listed;
    if (std::none_of(entries.begin(), entries.end(), belongs)) {
        m_findings.problem(CheckpointState::Empty, FailureMode::ModelMissing, "",
            entries.empty() ? "the folder is empty"
                            : "nothing in this folder belongs to a checkpoint (no config, weights or tokenizer)");
        return {};
    }
    for (const FolderEntry& entry : entries) {
        const std::string_view role = roleOf(entry.name);
        if (entry.name == "config.json")
            readConfig(entry);
        else if (entry.name == "hf_quant_config.json")
            readQuantConfig(entry);
        else if (role == "tokenizer" || role == "generation_config")
            readCompanion(entry, role);
        else if (isSnapshot && entry.kind == EntryKind::Dangling && role != "weights" && role != "index")
            m_findings.problem(entry); // the snapshot promises it
        if ((role == "other" || role == "code") && entry.kind != EntryKind::Folder && !entry.name.starts_with('.'))
            m_findings.file(entry, role).check = entry.kind == EntryKind::File ? "not read" : toUtf8(entry.detail);
    }
    checkAbsentConfig(entries);
    checkRemoteCode();
    family();
    weights(entries);
    return {};
}

void Inspection::readConfig(const FolderEntry& entry)
{
    CheckpointFile& row = m_findings.file(entry, "config");
    if (entry.kind != EntryKind::File)
        return m_findings.problem(entry);
    const Result<RegularFile> file = RegularFile::open(m_folder / entry.name);
    const Result<JsonRead> read = file ? readJsonFile(*file) : Result<JsonRead>(file.error());
    if (!read) {
        row.check = "not readable";
        return m_findings.unreadable(entry.name, read.error());
    }
    m_configText = read->text;
    row.check = read->defect ? (read->defect->isPointer ? "pointer" : toUtf8(read->defect->text)) : "ok";
    if (read->defect)
        return m_findings.problem(entry.name, *read->defect);
    if (read->hasNonFinite)
        m_findings.note("config.json holds NaN or Infinity, which JSON lacks; they were read as null");
    m_checkpoint.config = read->document;
    const Json& config = *read->document;
    m_checkpoint.modelType = textAt(config, "model_type");
    m_checkpoint.configDtype = dtypeOf(config);
    if (const auto found = config.find("architectures");
        found != config.end() && found->is_array() && !found->empty() && found->front().is_string())
        m_checkpoint.architecture = toUtf8(found->front().get<std::string>());
}

void Inspection::readQuantConfig(const FolderEntry& entry)
{
    CheckpointFile& row = m_findings.file(entry, "config");
    if (entry.kind != EntryKind::File)
        return m_findings.problem(entry);
    const Result<RegularFile> file = RegularFile::open(m_folder / entry.name);
    const Result<JsonRead> read = file ? readJsonFile(*file) : Result<JsonRead>(file.error());
    row.check = read && !read->defect ? "ok" : "not readable";
    if (!read)
        return m_findings.unreadable(entry.name, read.error());
    if (read->defect)
        return m_findings.problem(entry.name, *read->defect);
    m_quantConfig = read->document;
}

/// Tokenizer files and generation_config.json: are they there, pointers, cut? Large ones are not read whole.
void Inspection::readCompanion(const FolderEntry& entry, std::string_view role)
{
    CheckpointFile& row = m_findings.file(entry, role);
    if (entry.kind != EntryKind::File)
        return m_findings.problem(entry);
    const Result<RegularFile> file = RegularFile::open(m_folder / entry.name);
    if (!file) {
        row.check = "not readable";
        return m_findings.unreadable(entry.name, file.error());
    }
    std::optional<FileDefect> defect;
    std::optional<Error> error;
    if (role == "generation_config") {
        const Result<JsonRead> read = readJsonFile(*file);
        defect = read ? read->defect : std::nullopt;
        error = read ? std::nullopt : std::optional(read.error());
    } else if (entry.name.ends_with(".json")) {
        const Result<std::optional<FileDefect>> ends = checkJsonEnds(*file);
        defect = ends ? *ends : std::nullopt;
        error = ends ? std::nullopt : std::optional(ends.error());
    } else {
        const Result<std::optional<FileDefect>> head = checkPointer(*file);
        defect = head ? *head : std::nullopt;
        error = head ? std::nullopt : std::optional(head.error());
    }
    row.check = error ? "not readable" : !defect ? "ok" : defect->isPointer ? "pointer" : toUtf8(defect->text);
    if (error)
        m_findings.unreadable(entry.name, *error);
    if (defect)
        m_findings.problem(entry.name, *defect);
}

void Inspection::checkAbsentConfig(const std::vector<FolderEntry>& entries)
{
    const bool present
        = std::any_of(entries.begin(), entries.end(), [](const FolderEntry& e) { return e.name == "config.json"; });
    if (present)
        return;
    FolderEntry absent{"config.json", EntryKind::Absent, 0, "absent"};
    m_findings.file(absent, "config");
    m_findings.problem(CheckpointState::Incomplete, FailureMode::IncompleteDownload, "config.json",
        "is absent: without it nobody can tell the model's family");
}

void Inspection::checkRemoteCode()
{
    if (!m_checkpoint.config)
        return;
    const auto map = m_checkpoint.config->find("auto_map");
    if (map == m_checkpoint.config->end() || !map->is_object() || map->empty())
        return;
    const Json& first = map->begin().value();
    const std::string what = map->begin().key() + (first.is_string() ? " = " + first.get<std::string>() : "");
    m_findings.problem(CheckpointState::Complete, FailureMode::RemoteCodeRefused, "config.json",
        "wants code that comes with the checkpoint (auto_map: " + toUtf8(what).substr(0, 200)
            + "); LoadLab never runs it. Read the code, or take a checkpoint that the libraries know themselves");
}

void Inspection::family()
{
    m_family = m_families.findByModelType(m_checkpoint.modelType);
    if (m_checkpoint.modelType.empty() || m_family == nullptr) {
        m_family = nullptr;
        return;
    }
    m_checkpoint.family = m_family->name();
    m_checkpoint.familyTitle = m_family->title();
}

void Inspection::fingerprint()
{
    if (m_checkpoint.weightFiles.empty())
        return;
    Sha256 hash;
    for (const Checkpoint::WeightFile& file : m_checkpoint.weightFiles)
        hash.add(file.header ? file.header->digest() + "\n" : "absent\n");
    hash.add(m_configText);
    m_checkpoint.fingerprint = hash.hex();
}

void Inspection::finish()
{
    fingerprint();
    m_checkpoint.estimates = estimateLibtorch(m_checkpoint);
    if (m_onlyUnreadFormats)
        m_findings.problem(CheckpointState::Unsupported, FailureMode::UnsupportedArchitecture, "",
            "the weights are only in formats that no backend of LoadLab reads (it reads safetensors and TorchScript)");
    const bool configRead = m_checkpoint.config != nullptr;
    if (m_isFolder && configRead && m_checkpoint.modelType.empty())
        m_findings.problem(CheckpointState::Unsupported, FailureMode::UnsupportedArchitecture, "config.json",
            "names no model_type: the family is unknown. libtorch loads its tensors one by one all the same");
    else if (m_isFolder && configRead && m_family == nullptr)
        m_findings.problem(CheckpointState::Unsupported, FailureMode::UnsupportedArchitecture, "config.json",
            "model_type '" + m_checkpoint.modelType
                + "' is in no family file: names and shapes were not compared. libtorch loads its tensors one by one "
                  "all the same");
    m_checkpoint.state = m_findings.state();
}

} // namespace loadlab
