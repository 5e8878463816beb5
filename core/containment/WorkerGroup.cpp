#include "core/containment/WorkerGroup.h"

#include <csignal>

namespace loadlab {

void WorkerGroup::kill() const
{
    if (isArmed())
        ::kill(-m_group, SIGKILL);
}

} // namespace loadlab
