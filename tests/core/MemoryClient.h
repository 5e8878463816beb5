#pragma once

#include <QProcess>
#include <QtTest>
#include <sys/types.h>
#include <unistd.h>

/// A memory_client with its own process group that obeys one command at a time; ends with its object.
class MemoryClient {
public:
    /// With a mark, LOADLAB_RUN is set to it, as a run's worker has it.
    explicit MemoryClient(const QString& runMark = {})
    {
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.remove("LOADLAB_RUN");
        if (!runMark.isEmpty())
            environment.insert("LOADLAB_RUN", runMark);
        m_process.setProcessEnvironment(environment);
        m_process.setChildProcessModifier([] { ::setpgid(0, 0); });
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_process.start(LOADLAB_BINARY_DIR "/tests/memory_client", QStringList());
        m_process.waitForStarted();
        tell("nothing"); // its start-up is over
    }
    ~MemoryClient()
    {
        m_process.kill();
        m_process.waitForFinished();
    }

    [[nodiscard]] pid_t pid() const { return static_cast<pid_t>(m_process.processId()); }

    /// Returns when the client has obeyed; what it answered behind "ok", e.g. a pid.
    pid_t tell(const QString& command)
    {
        m_process.write(command.toUtf8() + '\n');
        while (!m_process.canReadLine())
            if (!m_process.waitForReadyRead(20'000))
                qFatal("memory_client does not answer to '%s'", qPrintable(command));
        return static_cast<pid_t>(m_process.readLine().mid(3).trimmed().toInt());
    }
    void leave()
    {
        m_process.write("exit\n");
        m_process.waitForFinished();
    }

private:
    QProcess m_process;
};
