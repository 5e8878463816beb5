#pragma once

#include "core/worker/JsonLineReader.h"
#include "core/worker/Protocol.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fake {

/// The worker's two ends: its real stdout, moved aside, and stdin.
class FakeWorker {
public:
    explicit FakeWorker(std::map<std::string, std::string> options);

    /// Reads the job, if stdin holds one; its options replace those of the command line.
    void awaitJob();
    [[nodiscard]] std::string option(const std::string& name, const std::string& otherwise) const;
    [[nodiscard]] int number(const std::string& name, int otherwise) const;
    [[nodiscard]] std::chrono::nanoseconds duration() const;

    void send(loadlab::protocol::Body body);
    void sendRaw(std::string_view bytes);
    void closeOutput();
    void hello(int protocol = loadlab::protocol::kVersion);

    /// Maps and touches memory that stays.
    void grow(std::size_t bytes);
    /// Grows and reports in steps; `between` runs after each.
    void load(const std::function<void(int step)>& between = {}, bool progress = true);
    void loaded();
    /// Obeys commands until told to leave or stdin ends. False: the lab wants no more.
    void holdUntilTold(bool echo = false);
    int leave(int code = 0);

private:
    bool readCommands(bool echo);

    std::map<std::string, std::string> m_options;
    loadlab::protocol::Job m_job;
    loadlab::JsonLineReader m_reader;
    int m_out = -1;
};

int runMode(FakeWorker& worker, const std::string& mode);

} // namespace fake
