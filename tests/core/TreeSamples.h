#pragma once

#include "core/telemetry/ProcessTree.h"

#include <QtTest>

#include <cstdint>
#include <cstdlib>

/// What tests of sampled memory need.
namespace loadlab::test {

inline Sample sampleOf(ProcessTree& tree)
{
    Sample sample;
    tree.sample(sample);
    return sample;
}

inline bool near(std::int64_t value, std::int64_t wanted, std::int64_t tolerance)
{
    if (std::abs(value - wanted) <= tolerance)
        return true;
    qWarning("%lld, wanted %lld", static_cast<long long>(value), static_cast<long long>(wanted));
    return false;
}

} // namespace loadlab::test
