#include "gui/Background.h"

namespace loadlab {

Background::Background(AtEnd atEnd)
    : m_atEnd(atEnd)
    , m_receiver(std::make_unique<QObject>())
    , m_thread([this] { run(); })
{
}

Background::~Background()
{
    std::deque<std::function<void()>> dropped;
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
        if (m_atEnd == AtEnd::Drop)
            dropped.swap(m_jobs);
    }
    m_wake.notify_one();
    m_thread.join();
}

void Background::post(std::function<void()> job)
{
    {
        const std::lock_guard lock(m_mutex);
        m_jobs.push_back(std::move(job));
    }
    m_wake.notify_one();
}

void Background::run()
{
    std::unique_lock lock(m_mutex);
    while (true) {
        m_wake.wait(lock, [this] { return m_ending || !m_jobs.empty(); });
        if (m_jobs.empty())
            return;
        const std::function<void()> job = std::move(m_jobs.front());
        m_jobs.pop_front();
        lock.unlock();
        job();
        lock.lock();
    }
}

void Background::deliver(std::function<void()> answer)
{
    QMetaObject::invokeMethod(m_receiver.get(), std::move(answer), Qt::QueuedConnection);
}

} // namespace loadlab
