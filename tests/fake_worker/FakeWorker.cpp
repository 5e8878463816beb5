#include "tests/fake_worker/FakeWorker.h"

#include "core/Units.h"

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace fake {
using namespace loadlab;

FakeWorker::FakeWorker(std::map<std::string, std::string> options)
    : m_options(std::move(options))
    , m_out(::dup(STDOUT_FILENO))
{
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

void FakeWorker::awaitJob()
{
    std::string line;
    char c = 0;
    while (::read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
        line.push_back(c);
    const Result<protocol::Job> job = protocol::jobFromJson(nlohmann::json::parse(line, nullptr, false));
    if (!job)
        return;
    m_job = *job;
    for (const auto& [name, value] : m_job.variant.options)
        m_options[name] = value;
}

std::string FakeWorker::option(const std::string& name, const std::string& otherwise) const
{
    const auto found = m_options.find(name);
    return found == m_options.end() ? otherwise : found->second;
}

int FakeWorker::number(const std::string& name, int otherwise) const
{
    return std::atoi(option(name, std::to_string(otherwise)).c_str());
}

std::chrono::nanoseconds FakeWorker::duration() const
{
    return std::chrono::nanoseconds(static_cast<long long>(std::atof(option("seconds", "0.05").c_str()) * 1e9));
}

void FakeWorker::sendRaw(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(m_out, bytes.data(), bytes.size());
        if (written <= 0)
            return;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

void FakeWorker::send(protocol::Body body)
{
    sendRaw(protocol::toJson(protocol::Message{monotonicNs(), std::move(body)}).dump() + "\n");
}

void FakeWorker::closeOutput()
{
    ::close(m_out);
    ::close(STDOUT_FILENO);
    m_out = -1;
}

void FakeWorker::hello(int protocol)
{
    send(protocol::Hello{protocol, "fake", {{"fake", "1.0"}}, {{"devices", "cpu"}}});
}

void FakeWorker::grow(std::size_t bytes)
{
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes > 0 && memory != MAP_FAILED)
        std::memset(memory, 0x5a, bytes);
}

void FakeWorker::load(const std::function<void(int)>& between, bool progress)
{
    const int steps = std::max(1, number("steps", 10));
    const std::size_t total = static_cast<std::size_t>(number("mib", 8)) << 20;
    const std::size_t each = total / static_cast<std::size_t>(steps);
    send(protocol::PhaseEntered{"reading"});
    for (int step = 1; step <= steps; ++step) {
        grow(each);
        const auto done = static_cast<std::uint64_t>(step);
        if (progress)
            send(protocol::Progress{"tensors", done, static_cast<std::uint64_t>(steps), done * each, total,
                "tensor." + std::to_string(step)});
        if (between)
            between(step);
        std::this_thread::sleep_for(duration() / steps);
    }
}

void FakeWorker::loaded()
{
    const std::map<std::string, std::string> names{{"float16", "F16"}, {"float32", "F32"}};
    const auto name = names.find(m_job.variant.dtype);
    const std::uint64_t bytes = static_cast<std::uint64_t>(number("mib", 8)) << 20;
    protocol::Loaded loaded;
    loaded.parameters = bytes / 2;
    loaded.dtypes = {{name == names.end() ? "BF16" : name->second, bytes / 2}};
    loaded.devices = {{"cpu", bytes}};
    loaded.tensors = static_cast<std::uint64_t>(number("steps", 10));
    send(loaded);
    send(protocol::PhaseEntered{"holding"});
}

bool FakeWorker::readCommands(bool echo)
{
    char buffer[4096];
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got <= 0)
        return false;
    const auto lines = m_reader.feed({buffer, static_cast<std::size_t>(got)});
    if (!lines)
        return false;
    for (const nlohmann::json& line : *lines) {
        const Result<protocol::Command> command = protocol::commandFromJson(line);
        if (!command)
            send(protocol::Warning{"unknown_command", command.error().message});
        else if (echo)
            send(protocol::Turn{line.dump()});
        else if (!std::holds_alternative<protocol::Exercise>(*command))
            return false;
    }
    return true;
}

void FakeWorker::holdUntilTold(bool echo)
{
    while (readCommands(echo)) { }
}

int FakeWorker::leave(int code)
{
    send(protocol::Bye{code});
    return code;
}

} // namespace fake
