#pragma once

#include "core/telemetry/ProcessReader.h"
#include "core/telemetry/ProcessTree.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// Tells whether an orphan that the lab inherited came from the tree below a root, and not from another run's.
class Adoption {
public:
    Adoption(ProcessId root, Orphans orphans);

    /// The root's own marks (process group, session, LOADLAB_RUN) as far as they can be read by now: the environment
    /// shows itself only after the root's exec. Cheap once known; gives up after a while.
    void learnFromRoot();
    /// A child of the lab that is not known yet. One that was found to be a stranger a few times is not asked again.
    [[nodiscard]] bool isOurs(pid_t candidate, const ProcessReading& stat);

private:
    struct Stranger {
        ProcessId id;
        int looks = 0;
    };
    [[nodiscard]] bool groupIsOurs(const ProcessReading& stat) const;
    Stranger& strangerFor(ProcessId id);

    ProcessId m_root;
    Orphans m_orphans;
    bool m_ownGroup = false;
    bool m_ownSession = false;
    std::string m_runMark; ///< "LOADLAB_RUN=…"; empty: not known.
    std::vector<Stranger> m_strangers;
    int m_triesLeft = 200;
};

} // namespace loadlab
