#include "core/telemetry/SelfTest.h"

#include "core/telemetry/Sampler.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace loadlab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBytes = std::size_t{64} << 20;
constexpr double kHz = 100;
constexpr std::int64_t kMoved = static_cast<std::int64_t>(kBytes);
constexpr std::size_t kEnoughSamples = 50; ///< For a rate.
constexpr std::chrono::milliseconds kAtMost{2500};

/// What the child is told, one byte each; it answers with the same byte.
enum Order : char { Allocate = 'a', Share = 's', Free = 'f', Spike = 'p', Fork = 'k', Reap = 'r' };

// Everything below runs in a forked child of a process with many threads: system calls alone, no allocation, no locks.

char* touched(int flags)
{
    auto* data = static_cast<char*>(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));
    if (data == MAP_FAILED)
        ::_exit(1);
    for (std::size_t at = 0; at < kBytes; at += 4096)
        data[at] = 1;
    return data;
}

/// A child of the child that holds as much again, and answers in its stead.
pid_t forkHolding(int answers)
{
    const pid_t self = ::getpid();
    const pid_t pid = ::fork();
    if (pid != 0)
        return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != self)
        ::_exit(1);
    touched(MAP_PRIVATE);
    const char answer = Fork;
    if (::write(answers, &answer, 1) != 1)
        ::_exit(1);
    for (;;)
        ::pause();
}

[[noreturn]] void obeyOrders(int orders, int answers)
{
    char* anonymous = nullptr;
    pid_t forked = -1;
    for (char order = 0; ::read(orders, &order, 1) == 1;) {
        if (order == Allocate) {
            anonymous = touched(MAP_PRIVATE);
        } else if (order == Share) {
            touched(MAP_SHARED);
        } else if (order == Free && anonymous) {
            ::munmap(anonymous, kBytes);
        } else if (order == Spike) {
            auto* spike = touched(MAP_PRIVATE);
            const timespec twoMs{0, 2'000'000};
            ::nanosleep(&twoMs, nullptr);
            ::munmap(spike, kBytes);
        } else if (order == Fork) {
            forked = forkHolding(answers);
            if (forked > 0)
                continue;
        } else if (order == Reap && forked > 0) {
            ::kill(forked, SIGKILL);
            ::waitpid(forked, nullptr, 0);
        }
        if (::write(answers, &order, 1) != 1)
            break;
    }
    ::_exit(0);
}

/// The child with the pipes to it; ended and reaped at the end.
class Child {
public:
    ~Child()
    {
        for (const int fd : {m_orders, m_answers})
            if (fd >= 0)
                ::close(fd);
        if (m_pid <= 0)
            return;
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }

    bool start()
    {
        std::array<int, 2> orders{-1, -1};
        std::array<int, 2> answers{-1, -1};
        if (::pipe2(orders.data(), O_CLOEXEC) != 0)
            return false;
        if (::pipe2(answers.data(), O_CLOEXEC) != 0) {
            ::close(orders[0]);
            ::close(orders[1]);
            return false;
        }
        const pid_t parent = ::getpid();
        m_pid = ::fork();
        if (m_pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::close(orders[1]); // else the child would keep its own orders open
            if (::getppid() == parent)
                obeyOrders(orders[0], answers[1]);
            ::_exit(1);
        }
        ::close(orders[0]);
        ::close(answers[1]);
        m_orders = orders[1];
        m_answers = answers[0];
        return m_pid > 0;
    }
    /// False when the child did not answer in time.
    bool tell(char order, Clock::time_point until) const
    {
        if (::write(m_orders, &order, 1) != 1)
            return false;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        pollfd wanted{m_answers, POLLIN, 0};
        char answer = 0;
        return ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) == 1
            && ::read(m_answers, &answer, 1) == 1 && answer == order;
    }
    [[nodiscard]] pid_t pid() const { return m_pid; }

private:
    pid_t m_pid = -1;
    int m_orders = -1;
    int m_answers = -1;
};

class SelfTest {
public:
    SelfTest()
        : m_sampler(kHz, [this](const Sample& sample) { take(sample); })
    {
    }

    SelfTestResult run()
    {
        m_result.askedHz = kHz;
        if (!m_child.start())
            m_result.problem = std::string("cannot fork a child to measure: ") + std::strerror(errno);
        else if (auto started = m_sampler.start(); !started)
            m_result.problem = started.error().message;
        else
            measure();
        conclude();
        return std::move(m_result);
    }

private:
    void take(const Sample& sample)
    {
        const std::lock_guard lock(m_mutex);
        if (sample.has(Column::ShmemBytes)) // Every second one reads the resident memory alone.
            m_lastFull = sample;
        ++m_samples;
        m_came.notify_all();
    }

    /// A mark is a full sample; one that comes before this looks may be a lesser one.
    Sample marked()
    {
        m_sampler.mark();
        const std::lock_guard lock(m_mutex);
        return m_lastFull;
    }

    void order(Order order)
    {
        if (m_result.problem.empty() && !m_child.tell(order, m_until))
            m_result.problem = "the child that is measured does not answer";
    }

    void check(std::string what, std::string counter, std::int64_t expected, std::int64_t measured)
    {
        const auto tolerance = std::max<std::int64_t>(std::abs(expected) / 50, std::int64_t{1} << 20);
        m_result.checks.push_back({std::move(what), std::move(counter), expected, measured,
            m_result.problem.empty() && std::abs(measured - expected) <= tolerance});
    }

    void checkColumn(Order what, const char* words, Column column, std::int64_t expected)
    {
        const auto before = marked();
        order(what);
        const auto after = marked();
        check(words, std::string(toWireName(column)), expected,
            before.has(column) && after.has(column) ? after[column] - before[column] : 0);
    }

    void checkSpike()
    {
        marked();
        const auto before = m_sampler.report().highWaterBytes;
        order(Spike);
        marked();
        const auto after = m_sampler.report().highWaterBytes;
        check("64 MiB for 2 ms between two samples", "VmHWM", kMoved, static_cast<std::int64_t>(after - before));
    }

    void measure()
    {
        m_sampler.watch(m_child.pid());
        checkSpike(); // First: a mark is only seen to rise above all that was before.
        checkColumn(Allocate, "64 MiB of anonymous memory", Column::AnonBytes, kMoved);
        checkColumn(Share, "64 MiB of shared memory", Column::ShmemBytes, kMoved);
        checkColumn(Free, "64 MiB given back", Column::TreeBytes, -kMoved);
        checkColumn(Fork, "64 MiB of a forked child", Column::AnonBytes, kMoved);
        checkColumn(Reap, "the same, after its end", Column::AnonBytes, -kMoved);
        std::unique_lock lock(m_mutex);
        m_came.wait_until(lock, m_until, [this] { return m_samples >= kEnoughSamples; });
    }

    void conclude()
    {
        const auto report = m_sampler.stop();
        m_result.achievedHz = report.achievedHz();
        m_result.missedTicks = report.missedTicks;
        m_result.worstLateness = std::chrono::nanoseconds(report.worstLatenessNs);
        m_result.priority = toWords(report.priority);
        m_result.duration = Clock::now() - m_start;
        m_result.passed = m_result.problem.empty() && !m_result.checks.empty()
            && std::all_of(m_result.checks.begin(), m_result.checks.end(), [](const auto& c) { return c.passed; });
    }

    Clock::time_point m_start = Clock::now();
    Clock::time_point m_until = m_start + kAtMost;
    SelfTestResult m_result;
    Child m_child;
    std::mutex m_mutex;
    std::condition_variable m_came;
    Sample m_lastFull;
    std::size_t m_samples = 0;
    Sampler m_sampler; ///< Last: its thread uses the others.
};

} // namespace

SelfTestResult runSamplerSelfTest()
{
    return SelfTest().run();
}

nlohmann::json toJson(const SelfTestResult& result)
{
    auto checks = nlohmann::json::array();
    for (const auto& check : result.checks)
        checks.push_back({{"what", check.what}, {"counter", check.counter}, {"expected_bytes", check.expectedBytes},
            {"measured_bytes", check.measuredBytes}, {"passed", check.passed}});
    return {{"passed", result.passed}, {"checks", std::move(checks)}, {"asked_hz", result.askedHz},
        {"achieved_hz", result.achievedHz}, {"missed_ticks", result.missedTicks},
        {"worst_lateness_us", static_cast<double>(result.worstLateness.count()) / 1000.0},
        {"priority", result.priority}, {"seconds", std::chrono::duration<double>(result.duration).count()},
        {"problem", result.problem}};
}

} // namespace loadlab
