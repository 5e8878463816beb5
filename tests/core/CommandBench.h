#pragma once

#include "tests/core/WatchedRun.h"

#include <QTemporaryDir>

/// Skips the test where nothing contains a run; in classes derived from CommandBench.
#define NEEDS_GROUPS()                                                                                                 \
    if (m_containment.kind() == GroupKind::None)                                                                       \
    QSKIP(("no containment here: " + m_containment.detail()).c_str())

namespace loadlab::test {

/// What tests of watched programs share: this machine's containment, the real rules, a folder.
class CommandBench {
protected:
    CommandBench()
        : m_containment(Containment::probe())
        , m_rules(Rules::load(std::filesystem::path(LOADLAB_SOURCE_DIR) / "resources/rules"))
    {
        becomeSubreaper();
    }

    [[nodiscard]] TrialSurroundings surroundings(bool contained = true) const
    {
        return commandSurroundings(m_rules, contained ? &m_containment : nullptr);
    }
    void start(Watched& watched, const std::string& line, const Limits& limits = {}, bool contained = true) const
    {
        watched.start(line, limits, surroundings(contained));
    }
    RunResult run(Watched& watched, const std::string& line, const Limits& limits = {}, bool contained = true) const
    {
        start(watched, line, limits, contained);
        return watched.runner->wait();
    }
    [[nodiscard]] static bool groupLeft(const std::string& uuid)
    {
        for (const auto& place : {findMemoryHierarchyV1({}), findHierarchyV2({})})
            if (place)
                for (const auto& entry : std::filesystem::directory_iterator(place->ownGroup))
                    if (entry.path().filename().string().find(uuid) != std::string::npos)
                        return true;
        return false;
    }

    Containment m_containment;
    Rules m_rules;
    QTemporaryDir m_folder;
};

} // namespace loadlab::test
