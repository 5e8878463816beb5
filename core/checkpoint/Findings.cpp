#include "core/checkpoint/Findings.h"

#include "core/Text.h"

#include <algorithm>

namespace loadlab {

void Findings::problem(CheckpointState state, FailureMode mode, const std::string& file, std::string text)
{
    m_into.problems.push_back({mode, toUtf8(file), toUtf8(text)});
    m_state = std::min(m_state, state); // the enum is in the order of precedence
}

void Findings::problem(const std::string& file, const FileDefect& defect)
{
    const CheckpointState state = defect.isPointer ? CheckpointState::Pointer
        : defect.mode == FailureMode::CorruptFile  ? CheckpointState::Corrupt
                                                   : CheckpointState::Incomplete;
    problem(state, defect.mode, file, defect.text);
}

void Findings::problem(const FolderEntry& entry)
{
    const bool refused = entry.kind == EntryKind::Unreachable;
    problem(CheckpointState::Incomplete, refused ? FailureMode::DiskIo : FailureMode::IncompleteDownload, entry.name,
        entry.detail);
}

void Findings::unreadable(const std::string& file, const Error& error)
{
    const FailureMode mode = error.kind == ErrorKind::Io ? FailureMode::DiskIo : FailureMode::IncompleteDownload;
    problem(CheckpointState::Incomplete, mode, file, error.message);
}

void Findings::note(std::string text)
{
    m_into.notes.push_back(toUtf8(text));
}

CheckpointFile& Findings::file(const FolderEntry& entry, std::string_view role)
{
    const auto [row, isNew] = m_rows.emplace(entry.name, m_into.files.size());
    if (!isNew)
        return m_into.files[row->second];
    CheckpointFile file{toUtf8(entry.name), entry.sizeBytes, std::string(role), "", entry.kind == EntryKind::File};
    if (!file.present)
        file.check
            = entry.kind == EntryKind::Absent || entry.kind == EntryKind::Dangling ? "absent" : toUtf8(entry.detail);
    return m_into.files.emplace_back(std::move(file));
}

} // namespace loadlab
