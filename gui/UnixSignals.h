#pragma once

#include <QObject>

namespace loadlab {

/// SIGINT, SIGTERM and SIGHUP as a Qt signal: the handler only writes a byte to a pipe. One per program.
class UnixSignals : public QObject {
    Q_OBJECT

public:
    explicit UnixSignals(QObject* parent = nullptr);
    ~UnixSignals() override;

Q_SIGNALS:
    void received();

private:
    void take();
    int m_pipe[2]{-1, -1};
};

} // namespace loadlab
