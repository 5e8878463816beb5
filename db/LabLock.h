#pragma once

#include "core/trial/RunResult.h"

#include <cstdint>
#include <filesystem>

namespace loadlab {

/// Says that the lab which records a run lives, to every lab that can open the same database: one locked byte per run
/// in the file DATABASE-labs. The kernel drops the lock when the process ends, however it ends. A process number alone
/// would not do: labs in two containers see neither the same numbers nor each other. Inside db/ only; one thread at a
/// time.
class LabLock {
public:
    explicit LabLock(const std::filesystem::path& database); ///< Empty (in memory): does nothing.
    ~LabLock();
    LabLock(LabLock&& other) noexcept;
    LabLock& operator=(LabLock&&) = delete;

    /// Where the file cannot be made the process number has to do.
    void take(RunId run);
    void release(RunId run);
    /// Another lab, or another store of this process, holds the run's byte.
    [[nodiscard]] bool isHeldElsewhere(RunId run) const;

private:
    std::filesystem::path m_file;
    int m_descriptor = -1;
};

} // namespace loadlab
