// Samplers under load from many threads, without QtTest: Qt is not instrumented, this program is, wholly.
// ThreadSanitizer must have nothing to say about it, without suppressions.
#include "core/curve/ChunkCodec.h"
#include "core/curve/CurveSummary.h"
#include "core/telemetry/Sampler.h"
#include "core/telemetry/SelfTest.h"
#include "tests/core/Restless.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace loadlab;

namespace {

void require(bool condition, const char* what)
{
    if (condition)
        return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::_Exit(1);
}

class Listener {
public:
    void take(const Sample& sample)
    {
        const std::lock_guard lock(m_mutex);
        m_curve.samples.push_back(sample);
    }
    std::vector<Sample> samples() const
    {
        const std::lock_guard lock(m_mutex);
        return m_curve.samples;
    }

private:
    mutable std::mutex m_mutex;
    Curve m_curve;
};

void twoSamplersAndFourThreads(pid_t root)
{
    Listener listener;
    Sampler one(500, [&listener](const Sample& sample) { listener.take(sample); });
    Sampler two(50, [&listener](const Sample& sample) { listener.take(sample); });
    require(one.start().has_value() && two.start().has_value(), "both samplers start");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&one, &two, &listener, root, i] {
            auto& sampler = i % 2 == 0 ? one : two;
            for (int round = 0; round < 15; ++round) {
                if (round % 5 == 0)
                    sampler.watch(root);
                sampler.mark();
                require(!sampler.living().empty(), "the root is among the living");
                static_cast<void>(sampler.report());
                const auto samples = listener.samples();
                require(decodeChunk(encodeChunk(samples)).has_value(), "chunks come back");
            }
        });
    for (auto& thread : threads)
        thread.join();
    require(one.stop().ticks > 0, "ticks were taken");
    // The other one is stopped by its destructor.
}

} // namespace

int main()
{
    const pid_t root = test::forkRestless(1, 0);
    twoSamplersAndFourThreads(root);
    ::kill(root, SIGKILL);
    ::waitpid(root, nullptr, 0);
    const auto selfTest = runSamplerSelfTest();
    require(selfTest.problem.empty(), selfTest.problem.c_str());
    std::puts("all as it should be");
    return 0;
}
