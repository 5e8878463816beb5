#pragma once

#include "core/curve/Sample.h"
#include "core/telemetry/Machine.h"
#include "core/telemetry/ProcFile.h"

#include <array>

namespace loadlab {

/// The machine's own counters with their files kept open. One thread at a time; reading allocates nothing.
class SystemCounters {
public:
    SystemCounters();

    SystemMemory read();
    /// Fills the System… columns; absent counters stay absent.
    void sample(Sample& into);
    /// system_free_bytes alone, by sysinfo(2): cheap enough for 1000 times a second.
    static void sampleFree(Sample& into);

private:
    ProcFile m_meminfo;
    ProcFile m_pressure;
    ProcFile m_vmstat;
    std::array<char, 16384> m_buffer{};
};

} // namespace loadlab
