#pragma once

#include <QProcess>
#include <QTest>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace loadlab::test {

/// A recording_lab process; killed at the end if it still runs.
class Lab {
public:
    Lab(const std::filesystem::path& database, const QStringList& words)
    {
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_process.start(QStringLiteral(LOADLAB_BINARY_DIR "/tests/recording_lab"),
            QStringList{QString::fromStdString(database.native())} + words);
        if (!m_process.waitForStarted())
            qFatal("recording_lab does not start");
    }
    ~Lab()
    {
        if (m_process.state() != QProcess::NotRunning)
            kill();
    }
    void kill()
    {
        m_process.kill(); // SIGKILL
        m_process.waitForFinished();
        readLines();
    }
    void closeInput() { m_process.closeWriteChannel(); }
    /// Its exit code.
    int waitForEnd()
    {
        closeInput();
        m_process.waitForFinished(60'000);
        readLines();
        return m_process.exitStatus() == QProcess::NormalExit ? m_process.exitCode() : -1;
    }
    /// Waits until it has printed so many lines.
    bool waitForLines(std::size_t count)
    {
        while (m_lines.size() < count && m_process.waitForReadyRead(30'000))
            readLines();
        return m_lines.size() >= count;
    }
    [[nodiscard]] const std::vector<std::string>& lines() const { return m_lines; }

private:
    void readLines()
    {
        while (m_process.canReadLine())
            m_lines.push_back(m_process.readLine().trimmed().toStdString());
    }
    QProcess m_process;
    std::vector<std::string> m_lines;
};

} // namespace loadlab::test
