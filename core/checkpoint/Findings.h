#pragma once

#include "core/checkpoint/Checkpoint.h"
#include "core/checkpoint/FolderListing.h"
#include "core/checkpoint/JsonFile.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace loadlab {

/// What an inspection has found so far: problems with the state each of them means, notes, the table of files.
class Findings {
public:
    explicit Findings(Checkpoint& into)
        : m_into(into)
    {
    }

    /// A defect that makes the checkpoint at least this bad; Complete: it is a defect all the same.
    void problem(CheckpointState state, FailureMode mode, const std::string& file, std::string text);
    /// The same for a file that breaks its format, is cut short or a pointer: the state follows from the defect.
    void problem(const std::string& file, const FileDefect& defect);
    /// For an entry that is no file to be read (link that dangles or leaves, FIFO …).
    void problem(const FolderEntry& entry);
    /// A file that the system would not let us read.
    void unreadable(const std::string& file, const Error& error);
    void note(std::string text);

    /// The row of a file, made when there is none yet. The reference lives until the next call.
    CheckpointFile& file(const FolderEntry& entry, std::string_view role);

    /// The first of the states that applies.
    [[nodiscard]] CheckpointState state() const { return m_state; }

private:
    Checkpoint& m_into;
    std::unordered_map<std::string, std::size_t> m_rows; ///< By the name's bytes: two may look the same as UTF-8.
    CheckpointState m_state = CheckpointState::Complete;
};

} // namespace loadlab
