#include "tests/plugins/WorkerDriver.h"

#include "core/worker/Protocol.h"

#include <QElapsedTimer>
#include <fstream>

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr int kLimitMs = 60'000;

} // namespace

WorkerDriver::WorkerDriver(QStringList arguments, std::function<void()> inChild)
{
    if (inChild)
        m_process.setChildProcessModifier(std::move(inChild));
    m_process.start(program(), arguments);
}

WorkerDriver::~WorkerDriver()
{
    if (m_process.state() != QProcess::NotRunning) {
        m_process.kill();
        m_process.waitForFinished();
    }
}

QString WorkerDriver::program()
{
    // Another build of it: against a wheel's libtorch, say.
    const QString other = qEnvironmentVariable("LOADLAB_TEST_LIBTORCH_WORKER");
    return other.isEmpty() ? LOADLAB_BINARY_DIR "/lib/loadlab/plugins/libtorch/loadlab-worker-libtorch" : other;
}

void WorkerDriver::sendJob(const fs::path& checkpoint, const loadlab::Variant& variant)
{
    loadlab::protocol::Job job;
    job.run = "a-test";
    job.checkpoint = checkpoint.native();
    job.variant = variant;
    job.resources = LOADLAB_SOURCE_DIR "/resources";
    send(loadlab::protocol::toJson(job));
}

void WorkerDriver::sendLine(const std::string& line)
{
    m_process.write((line + "\n").c_str());
    m_process.waitForBytesWritten(kLimitMs);
}

void WorkerDriver::takeLines()
{
    m_rest += m_process.readAllStandardOutput();
    for (qsizetype end = m_rest.indexOf('\n'); end >= 0; end = m_rest.indexOf('\n')) {
        json event = json::parse(m_rest.left(end).toStdString(), nullptr, false);
        m_rest.remove(0, end + 1);
        if (event.is_discarded() || !loadlab::protocol::messageFromJson(event))
            m_nonsense = true;
        else
            m_events.push_back(std::move(event));
    }
}

bool WorkerDriver::waitFor(const std::string& name, json* event)
{
    QElapsedTimer timer;
    timer.start();
    for (;;) {
        takeLines();
        while (m_looked < m_events.size())
            if (const json& seen = m_events[m_looked++]; seen["event"] == name) {
                if (event)
                    *event = seen;
                return true;
            }
        if (m_process.state() == QProcess::NotRunning || timer.hasExpired(kLimitMs))
            return false;
        m_process.waitForReadyRead(1000);
    }
}

bool WorkerDriver::waitForEnd()
{
    const bool ended = m_process.state() == QProcess::NotRunning || m_process.waitForFinished(kLimitMs);
    takeLines();
    m_nonsense = m_nonsense || !m_rest.isEmpty();
    return ended;
}

json WorkerDriver::last(const std::string& name) const
{
    for (auto event = m_events.rbegin(); event != m_events.rend(); ++event)
        if ((*event)["event"] == name)
            return *event;
    return nullptr;
}

std::vector<std::string> WorkerDriver::phases() const
{
    std::vector<std::string> names;
    for (const json& event : m_events)
        if (event["event"] == "phase")
            names.push_back(event["name"]);
    return names;
}

std::uint64_t WorkerDriver::memory(const std::string& field) const
{
    std::ifstream status("/proc/" + std::to_string(m_process.processId()) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind(field + ":", 0) == 0)
            return std::stoull(line.substr(field.size() + 1)) * 1024;
    return 0;
}

std::string WorkerDriver::story()
{
    std::string text;
    for (const json& event : m_events)
        if (event["event"] != "progress")
            text += event.dump() + "\n";
    return text + standardError().toStdString();
}
