#include "core/trial/RunMailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace loadlab {

RunMailbox::RunMailbox()
    : m_wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
}

void RunMailbox::wake() const
{
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(m_wake.get(), &one, sizeof one);
}

void RunMailbox::cancel(bool now)
{
    const std::lock_guard lock(m_mutex);
    m_orders.cancel = true;
    m_orders.kill = m_orders.kill || now;
    wake();
}

void RunMailbox::release()
{
    const std::lock_guard lock(m_mutex);
    m_orders.release = true;
    wake();
}

void RunMailbox::setGuard(std::optional<GuardMargin> margin)
{
    const std::lock_guard lock(m_mutex);
    m_orders.guard = margin;
    wake();
}

void RunMailbox::add(const Sample& sample)
{
    const std::lock_guard lock(m_mutex);
    m_samples.push_back(sample);
    if (sample.monotonicNs - m_wokenForNs < kBatchNs)
        return;
    m_wokenForNs = sample.monotonicNs;
    wake();
}

RunMailbox::Orders RunMailbox::take(std::vector<Sample>& into)
{
    into.clear();
    std::uint64_t count = 0;
    const std::lock_guard lock(m_mutex);
    [[maybe_unused]] const auto got = ::read(m_wake.get(), &count, sizeof count);
    into.swap(m_samples);
    Orders orders = m_orders;
    m_orders.guard.reset();
    return orders;
}

bool RunMailbox::cancelled() const
{
    const std::lock_guard lock(m_mutex);
    return m_orders.cancel;
}

} // namespace loadlab
