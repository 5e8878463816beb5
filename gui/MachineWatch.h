#pragma once

#include "core/telemetry/Machine.h"

#include <QObject>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace loadlab {

/// The machine's memory now, once a second. `psiSomePercent`: share of the last second in which something waited for
/// memory.
struct MachineReading {
    SystemMemory memory;
    std::optional<double> psiSomePercent;
};

/// Reads /proc once a second on a thread of its own: on a machine that is out of memory even that may take its time.
class MachineWatch : public QObject {
    Q_OBJECT

public:
    explicit MachineWatch(std::chrono::milliseconds every = std::chrono::milliseconds(1000), QObject* parent = nullptr);
    ~MachineWatch() override;

Q_SIGNALS:
    void readingTaken(const loadlab::MachineReading& reading);

private:
    void run();

    const std::chrono::milliseconds m_every;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    bool m_ending = false;
    std::thread m_thread;
};

} // namespace loadlab
