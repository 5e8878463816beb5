#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace loadlab {

class FileTrail;
class ReadPositions;

/// Where the processes of a run are in their files, looked for aside. Who asks for a file may have to wait for its file
/// system, and a dead server never answers: that holds up a thread that is then left behind, never the run's. One
/// thread.
class RunFiles {
public:
    explicit RunFiles(const std::filesystem::path& folder); ///< As FileTrail.
    ~RunFiles(); ///< Waits for nothing.

    /// Begins a look at the trail; false where one goes on.
    bool look(std::vector<pid_t> processes);
    /// Of a look that has ended since it was asked last.
    std::optional<std::chrono::nanoseconds> lookTook();
    /// FileTrail::find() in words, empty where there is nothing to tell; or why it is not told. Blocks up to 2 s.
    /// The last question to the trail: looks after it do nothing.
    [[nodiscard]] std::string find(std::vector<pid_t> processes);
    /// ReadPositions::gotFurther(). Blocks up to 1 s, and not at all while an answer from before is out: what that one
    /// saw is told at the next call.
    [[nodiscard]] bool gotFurther(std::vector<pid_t> processes);

private:
    std::shared_ptr<FileTrail> m_trail; ///< Not touched while a look goes on; none after find().
    std::shared_ptr<ReadPositions> m_positions;
    std::future<std::chrono::nanoseconds> m_look;
    std::future<bool> m_further;
};

} // namespace loadlab
