#pragma once

#include "core/Descriptor.h"
#include "core/Variant.h"
#include "core/curve/Sample.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace loadlab {

/// What other threads leave for a run's thread, which polls fd(): the operator's orders and the sampler's samples.
/// All functions from any thread; the taking ones from the run's.
class RunMailbox {
public:
    /// Less than two ticks of the usual rate, so that each of those leaves as it comes.
    static constexpr std::int64_t kBatchNs = 40'000'000;

    struct Orders {
        bool cancel = false;
        bool kill = false;
        bool release = false;
        std::optional<std::optional<GuardMargin>> guard; ///< The newest margin, or none; handed over once.
    };

    RunMailbox();

    void cancel(bool now);
    void release();
    void setGuard(std::optional<GuardMargin> margin);
    /// Wakes the run's thread at most every kBatchNs.
    void add(const Sample& sample);

    /// Readable when something is there; negative when the system had no descriptor left: look every 50 ms then.
    [[nodiscard]] int fd() const { return m_wake.get(); }
    /// Orders stay until the run ends, but for the guard's; samples are handed over once. `into` is emptied first, its
    /// capacity reused.
    Orders take(std::vector<Sample>& into);
    [[nodiscard]] bool cancelled() const;

private:
    void wake() const;

    Descriptor m_wake;
    mutable std::mutex m_mutex;
    Orders m_orders;
    std::vector<Sample> m_samples;
    std::int64_t m_wokenForNs = 0;
};

} // namespace loadlab
