#include "core/telemetry/GpuCounters.h"

#include "core/telemetry/Nvml.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <sys/prctl.h>
#include <thread>

namespace loadlab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kMemoryEvery{static_cast<int>(1000 / GpuCounters::kDevicesHz)};
constexpr std::chrono::milliseconds kProcessesEvery{static_cast<int>(1000 / GpuCounters::kProcessesHz)};
constexpr auto kLongestLoad = 3s;
constexpr auto kLongestRefresh = 200ms;
constexpr auto kLongestLeave = 100ms;
constexpr std::size_t kMostProcesses = 1024;

/// The newest reading; absent: not told.
struct Figures {
    std::int64_t usedBytes = kAbsent;
    std::int64_t busyPercent = kAbsent;
    bool processesKnown = false;
    std::size_t processCount = 0;
    std::array<std::pair<pid_t, std::uint64_t>, kMostProcesses> processes; ///< Of every device.
};

struct Readings {
    std::uint64_t count = 0;
    Clock::time_point first;
    Clock::time_point last;

    void add(Clock::time_point now)
    {
        first = count++ == 0 ? now : first;
        last = now;
    }
    [[nodiscard]] double hz() const
    {
        return count > 1 ? static_cast<double>(count - 1) / std::chrono::duration<double>(last - first).count() : 0;
    }
};

} // namespace

struct GpuCounters::State {
    std::string library;
    mutable std::mutex mutex;
    mutable std::condition_variable_any changed;
    bool loaded = false; ///< Or found that it cannot be.
    Report report;
    Figures figures;
    Readings deviceReadings;
    Readings processReadings;
    std::uint64_t asked = 0; ///< Refreshes.
    std::uint64_t answered = 0;
    bool left = false; ///< By the thread.
    std::jthread thread;

    void run(const std::stop_token& stop);
    bool load(std::optional<Nvml>& nvml);
    void read(Nvml& nvml, bool processes);
};

bool GpuCounters::State::load(std::optional<Nvml>& nvml)
{
    Result<Nvml> found = Nvml::load(library);
    Report told;
    if (!found) {
        told.problem = found.error().message;
    } else {
        nvml = std::move(*found);
        told.library = nvml->libraryPath();
        told.driver = nvml->driverVersion();
        for (std::size_t i = 0; i < nvml->deviceCount(); ++i) {
            told.devices.push_back(nvml->name(i));
            if (!nvml->memory(i))
                told.unifiedMemory = true;
        }
        if (told.devices.empty())
            told.problem = told.library + " knows no device";
    }
    const bool useful = told.problem.empty();
    const std::lock_guard lock(mutex);
    report = std::move(told);
    if (useful)
        return true;
    loaded = true;
    changed.notify_all();
    return false;
}

void GpuCounters::State::read(Nvml& nvml, bool processes)
{
    std::int64_t used = kAbsent;
    std::int64_t busy = kAbsent;
    std::vector<GpuProcess> all;
    bool known = false;
    for (std::size_t i = 0; i < nvml.deviceCount(); ++i) {
        if (const auto memory = nvml.memory(i))
            used = std::max<std::int64_t>(used, 0) + static_cast<std::int64_t>(memory->usedBytes);
        if (const auto percent = nvml.busyPercent(i))
            busy = std::max(busy, static_cast<std::int64_t>(*percent));
        if (!processes)
            continue;
        const auto here = nvml.processes(i);
        for (const GpuProcess& process : here.value_or(std::vector<GpuProcess>())) {
            known = known || process.bytes;
            all.push_back(process);
        }
        known = known || (here && here->empty());
    }
    const std::lock_guard lock(mutex);
    figures.usedBytes = used;
    figures.busyPercent = busy;
    deviceReadings.add(Clock::now());
    if (!processes)
        return;
    processReadings.add(Clock::now());
    figures.processesKnown = known;
    figures.processCount = 0;
    for (const GpuProcess& process : all)
        if (process.bytes && figures.processCount < kMostProcesses)
            figures.processes[figures.processCount++] = {process.pid, *process.bytes};
}

void GpuCounters::State::run(const std::stop_token& stop)
{
    ::prctl(PR_SET_NAME, "gpu");
    std::optional<Nvml> nvml;
    if (!load(nvml))
        return;
    auto processesDue = Clock::now();
    while (!stop.stop_requested()) {
        const auto now = Clock::now();
        std::uint64_t wish = 0;
        {
            const std::lock_guard lock(mutex);
            wish = asked;
        }
        const bool processes = now >= processesDue || wish != answered;
        if (processes)
            processesDue = now + kProcessesEvery;
        read(*nvml, processes);
        std::unique_lock lock(mutex);
        loaded = true;
        answered = wish;
        changed.notify_all();
        changed.wait_until(lock, stop, now + kMemoryEvery, [this] { return asked != answered; });
    }
}

GpuCounters::GpuCounters(std::string library)
    : m_state(std::make_shared<State>())
{
    m_state->library = std::move(library);
    m_state->thread = std::jthread([state = m_state](const std::stop_token& stop) {
        state->run(stop);
        const std::lock_guard lock(state->mutex);
        state->left = true;
        state->changed.notify_all();
    });
}

GpuCounters::~GpuCounters()
{
    m_state->thread.request_stop();
    std::unique_lock lock(m_state->mutex);
    const bool left = m_state->changed.wait_for(lock, kLongestLeave, [this] { return m_state->left; });
    lock.unlock();
    if (left)
        m_state->thread.join();
    else
        m_state->thread.detach();
}

void GpuCounters::sample(Sample& into, std::span<const pid_t> tree) const
{
    const std::lock_guard lock(m_state->mutex);
    const Figures& figures = m_state->figures;
    into[Column::GpuUsedBytes] = figures.usedBytes;
    into[Column::GpuBusyPercent] = figures.busyPercent;
    if (!figures.processesKnown)
        return;
    std::int64_t sum = 0;
    for (const auto& [pid, bytes] : std::span(figures.processes).first(figures.processCount))
        if (std::ranges::find(tree, pid) != tree.end())
            sum += static_cast<std::int64_t>(bytes);
    into[Column::GpuBytes] = sum;
}

void GpuCounters::refresh()
{
    std::unique_lock lock(m_state->mutex);
    if (m_state->loaded && !m_state->report.problem.empty())
        return;
    const auto mine = ++m_state->asked;
    m_state->changed.notify_all();
    m_state->changed.wait_for(lock, kLongestRefresh, [&] { return m_state->answered >= mine; });
}

GpuCounters::Report GpuCounters::report() const
{
    std::unique_lock lock(m_state->mutex);
    m_state->changed.wait_for(lock, kLongestLoad, [&] { return m_state->loaded; });
    lock.unlock();
    return reportSoFar();
}

GpuCounters::Report GpuCounters::reportSoFar() const
{
    const std::lock_guard lock(m_state->mutex);
    Report told = m_state->report;
    told.devicesHz = m_state->deviceReadings.hz();
    told.processesHz = m_state->processReadings.hz();
    if (!m_state->loaded)
        told.problem = "the GPU library has not answered";
    return told;
}

} // namespace loadlab
