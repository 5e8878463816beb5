#include "gui/MachineWatch.h"

#include <QMetaObject>

#include <algorithm>

namespace loadlab {
namespace {

using Clock = std::chrono::steady_clock;

std::optional<double> stallShare(const SystemMemory& before, const SystemMemory& now, Clock::duration between)
{
    const auto microseconds = std::chrono::duration<double, std::micro>(between).count();
    if (!before.psiSomeUs || !now.psiSomeUs || *now.psiSomeUs < *before.psiSomeUs || microseconds <= 0)
        return std::nullopt;
    return std::min(100.0, 100.0 * static_cast<double>(*now.psiSomeUs - *before.psiSomeUs) / microseconds);
}

} // namespace

MachineWatch::MachineWatch(std::chrono::milliseconds every, QObject* parent)
    : QObject(parent)
    , m_every(every)
    , m_thread([this] { run(); })
{
}

MachineWatch::~MachineWatch()
{
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_wake.notify_one();
    m_thread.join();
}

void MachineWatch::run()
{
    SystemMemory before = readSystemMemory();
    Clock::time_point beforeAt = Clock::now();
    MachineReading reading{before, {}};
    std::unique_lock lock(m_mutex);
    while (!m_ending) {
        lock.unlock();
        QMetaObject::invokeMethod(
            this, [this, reading] { Q_EMIT readingTaken(reading); }, Qt::QueuedConnection);
        lock.lock();
        m_wake.wait_for(lock, m_every, [this] { return m_ending; });
        const Clock::time_point now = Clock::now();
        reading.memory = readSystemMemory();
        reading.psiSomePercent = stallShare(before, reading.memory, now - beforeAt);
        before = reading.memory;
        beforeAt = now;
    }
}

} // namespace loadlab
