// What sampling a process tree costs its target and the machine, and what it misses. Ratios of one run, arms in turns,
// the median of paired rounds (docs/PERFORMANCE.md). Prints one JSON object.
//
//   bench_sampling [ROUNDS] [--psutil PYTHON]   7 rounds of 1 s; PYTHON is one that has psutil
//
// The tree: a root with eight children. One holds 1 GiB in small pages and, pinned to CPU 0, maps, touches and unmaps
// 1 MiB in a loop; the others hold 16 MiB each. The sampler is pinned to CPU 1.
#include "core/Descriptor.h"
#include "core/telemetry/ProcessTree.h"
#include "core/telemetry/Sampler.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace loadlab;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr int kChildren = 8;
constexpr double kRoundS = 1.0;

/// Shared by everybody: what the target did so far, and whether it may go on.
struct Board {
    std::atomic<std::uint64_t> loops{0};
    std::atomic<int> ready{0};
    std::atomic<int> spikes{0}; ///< Wished.
    std::atomic<int> spiked{0}; ///< Done.
};

Board* makeBoard()
{
    void* data = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return new (data) Board;
}

void pinTo(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

char* hold(std::size_t bytes)
{
    auto* data = static_cast<char*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (data == MAP_FAILED)
        std::abort();
    ::madvise(data, bytes, MADV_NOHUGEPAGE);
    for (std::size_t at = 0; at < bytes; at += 4096)
        data[at] = 1;
    return data;
}

[[noreturn]] void waitForever()
{
    for (;;)
        ::pause();
}

[[noreturn]] void target(Board& board)
{
    pinTo(0);
    hold(1024 * kMiB);
    ++board.ready;
    for (;;) {
        ::munmap(hold(kMiB), kMiB);
        ++board.loops;
    }
}

[[noreturn]] void spiker(Board& board)
{
    hold(256 * kMiB);
    ++board.ready;
    for (;;) {
        if (board.spiked < board.spikes) {
            char* data = hold(64 * kMiB);
            const timespec twoMs{0, 2'000'000};
            ::nanosleep(&twoMs, nullptr);
            ::munmap(data, 64 * kMiB);
            ++board.spiked;
        }
        const timespec pause{0, 200'000};
        ::nanosleep(&pause, nullptr);
    }
}

/// Ends with its object, and all below it with it.
class Tree {
public:
    Tree(Board& board, bool withTarget)
    {
        const int before = board.ready;
        m_root = ::fork();
        if (m_root == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (int i = 0; i < kChildren; ++i)
                if (::fork() == 0) {
                    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                    if (i == 0 && withTarget)
                        target(board);
                    hold(16 * kMiB);
                    ++board.ready;
                    waitForever();
                }
            waitForever();
        }
        while (board.ready < before + kChildren)
            std::this_thread::yield();
    }
    ~Tree()
    {
        ::kill(m_root, SIGKILL);
        ::waitpid(m_root, nullptr, 0);
    }
    [[nodiscard]] pid_t root() const { return m_root; }

private:
    pid_t m_root = -1;
};

double secondsSince(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double ownCpuS()
{
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double median(std::vector<double> values)
{
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

/// Cores that waking up a thousand times a second takes by itself: what no sampler can go below.
double wakingAlone()
{
    const Descriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const itimerspec times{{0, 1'000'000}, {0, 1'000'000}};
    ::timerfd_settime(timer.get(), 0, &times, nullptr);
    const auto start = Clock::now();
    const double cpu = ownCpuS();
    std::uint64_t passed = 0;
    while (secondsSince(start) < kRoundS)
        if (::read(timer.get(), &passed, sizeof passed) != static_cast<ssize_t>(sizeof passed))
            std::abort();
    return (ownCpuS() - cpu) / secondsSince(start);
}

struct Round {
    double loopsPerS = 0;
    double cpuShare = 0; ///< Of this process, in cores.
    SamplerReport report;
};

Round roundOf(Board& board, pid_t root, double hz)
{
    Round round;
    Sampler sampler(std::max(hz, 1.0), [](const Sample&) {});
    if (hz > 0) {
        sampler.watch(root);
        if (!sampler.start())
            std::abort();
    }
    const auto start = Clock::now();
    const double cpu = ownCpuS();
    const auto loops = board.loops.load();
    std::this_thread::sleep_for(std::chrono::duration<double>(kRoundS));
    const double took = secondsSince(start);
    round.loopsPerS = static_cast<double>(board.loops - loops) / took;
    round.cpuShare = (ownCpuS() - cpu) / took;
    if (hz > 0)
        round.report = sampler.stop();
    return round;
}

nlohmann::json throughput(Board& board, int rounds)
{
    const Tree tree(board, true);
    std::vector<double> at100;
    std::vector<double> at1000;
    std::vector<double> cpu100;
    std::vector<double> cpu1000;
    std::vector<double> waking;
    for (int i = 0; i < rounds; ++i) {
        const double before = roundOf(board, tree.root(), 0).loopsPerS;
        const Round hundred = roundOf(board, tree.root(), 100);
        const Round thousand = roundOf(board, tree.root(), 1000);
        const double after = roundOf(board, tree.root(), 0).loopsPerS;
        const double alone = (before + after) / 2; // What the machine itself drifts by is in both.
        at100.push_back(hundred.loopsPerS / alone);
        at1000.push_back(thousand.loopsPerS / alone);
        cpu100.push_back(hundred.cpuShare);
        cpu1000.push_back(thousand.cpuShare);
        waking.push_back(wakingAlone());
    }
    return {{"rounds", rounds}, {"throughput_100hz_over_none", median(at100)},
        {"throughput_1000hz_over_none", median(at1000)}, {"cores_100hz", median(cpu100)},
        {"cores_1000hz", median(cpu1000)}, {"cores_1000hz_best", *std::min_element(cpu1000.begin(), cpu1000.end())},
        {"cores_waking_1000hz", median(waking)}};
}

nlohmann::json missedTicks(Board& board, int rounds)
{
    const Tree tree(board, false);
    std::vector<pid_t> busy;
    for (int i = 0; i < 4; ++i)
        if (const pid_t pid = ::fork(); pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (volatile std::uint64_t turns = 0;; turns = turns + 1) { }
        } else {
            busy.push_back(pid);
        }
    std::vector<double> missed;
    std::uint64_t worst = 0;
    auto priority = SamplerPriority::Normal;
    for (int i = 0; i < rounds; ++i) {
        const Round round = roundOf(board, tree.root(), 1000);
        const auto passed = static_cast<double>(round.report.ticks + round.report.missedTicks);
        missed.push_back(static_cast<double>(round.report.missedTicks) / passed);
        worst = std::max(worst, round.report.worstLatenessNs);
        priority = round.report.priority;
    }
    for (const pid_t pid : busy) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    return {{"missed_share_1000hz_4_busy", median(missed)},
        {"missed_share_best", *std::min_element(missed.begin(), missed.end())},
        {"worst_lateness_us", static_cast<double>(worst) / 1000}, {"priority", toWords(priority)}};
}

/// Spikes of 64 MiB for 2 ms above 256 MiB, seen by the sampler at its default rate.
nlohmann::json spikes(Board& board)
{
    int seen = 0;
    constexpr int kTrials = 40;
    for (int i = 0; i < kTrials; ++i) {
        const int before = board.ready;
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            spiker(board);
        }
        while (board.ready == before)
            std::this_thread::yield();
        Sampler sampler(20, [](const Sample&) {});
        sampler.watch(pid);
        if (!sampler.start())
            std::abort();
        sampler.mark();
        const auto level = sampler.report().provenAnonBytes;
        const int wished = ++board.spikes;
        while (board.spiked < wished)
            std::this_thread::yield();
        sampler.mark();
        const auto report = sampler.stop();
        const auto expected = static_cast<double>(level + 64 * kMiB);
        if (std::abs(static_cast<double>(report.provenAnonBytes) - expected) <= 0.02 * expected)
            ++seen;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    return {{"spikes_seen", seen}, {"spikes_made", kTrials}};
}

/// One sample of the tree in microseconds; nothing when PYTHON cannot.
std::optional<double> byPsutil(const std::string& python, pid_t root, const char* counters)
{
    const std::string command = "'" + python + "' '" LOADLAB_SOURCE_DIR "/tests/bench/psutil_tree.py' "
        + std::to_string(root) + " " + counters;
    FILE* pipe = ::popen(command.c_str(), "r");
    double us = 0;
    const bool told = pipe && std::fscanf(pipe, "%lf", &us) == 1;
    if (pipe)
        ::pclose(pipe);
    return told ? std::optional(us) : std::nullopt;
}

double byUs(ProcessTree& tree, ProcessTree::Depth depth)
{
    constexpr int kSamples = 2000;
    Sample sample;
    const auto start = Clock::now();
    for (int n = 0; n < kSamples; ++n)
        tree.sample(sample, depth);
    return secondsSince(start) * 1e6 / kSamples;
}

/// One sample by psutil and by us, in turns: the resident memory alone, all counters of processes that wait (as most of
/// a load's do), and all counters read anew, as of processes that have all run since.
nlohmann::json againstPsutil(Board& board, const std::string& python, int rounds)
{
    const Tree tree(board, false);
    ProcessTree ours(tree.root());
    Sample sample;
    ours.sample(sample);
    std::map<std::string, std::vector<double>> figures;
    for (int i = 0; i < rounds; ++i) {
        const double resident = byUs(ours, ProcessTree::Depth::Resident);
        const double changed = byUs(ours, ProcessTree::Depth::Changed);
        const double full = byUs(ours, ProcessTree::Depth::Full);
        const auto theirResident = byPsutil(python, tree.root(), "resident");
        const auto theirFull = byPsutil(python, tree.root(), "full");
        if (!theirResident || !theirFull)
            return {{"problem", python + " cannot measure: does it have psutil?"}};
        figures["psutil_over_ours_resident"].push_back(*theirResident / resident);
        figures["psutil_over_ours_all_waiting"].push_back(*theirFull / changed);
        figures["psutil_over_ours_all_ran"].push_back(*theirFull / full);
        figures["ours_us_resident"].push_back(resident);
        figures["ours_us_all_waiting"].push_back(changed);
        figures["ours_us_all_ran"].push_back(full);
        figures["psutil_us_resident"].push_back(*theirResident);
        figures["psutil_us_all"].push_back(*theirFull);
    }
    nlohmann::json medians{{"processes", sample[Column::Processes]}};
    for (auto& [name, values] : figures)
        medians[name] = median(values);
    return medians;
}

} // namespace

int main(int argc, char** argv)
{
    int rounds = 7;
    std::string python;
    for (int i = 1; i < argc; ++i)
        if (std::strcmp(argv[i], "--psutil") == 0 && i + 1 < argc)
            python = argv[++i];
        else
            rounds = std::max(1, std::atoi(argv[i]));
    Board& board = *makeBoard();
    pinTo(1);
    nlohmann::json figures = throughput(board, rounds);
    if (!python.empty())
        figures.update(againstPsutil(board, python, rounds));
    figures.update(spikes(board));
    cpu_set_t all;
    std::memset(&all, 0xff, sizeof all);
    ::sched_setaffinity(0, sizeof all, &all);
    figures.update(missedTicks(board, rounds));
    std::puts(figures.dump(2).c_str());
}
