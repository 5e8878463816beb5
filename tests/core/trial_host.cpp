#include "core/trial/TrialRunner.h"

#include <cstdio>
#include <string>

/// A lab for tests to kill: runs the fake worker in the mode of argv[2], and says on stdout who is who.
/// trial-host PLUGIN-FOLDER MODE
int main(int argc, char** argv)
{
    using namespace loadlab;
    if (argc != 3)
        return 2;
    becomeSubreaper();
    TrialSpec spec;
    spec.plugin = loadManifest(argv[1]).value();
    spec.variant.backend = spec.plugin.name;
    spec.variant.options = {{"mode", argv[2]}};
    TrialRunner runner(spec, {}, [](const RunEvent& event) {
        if (const auto* started = std::get_if<WorkerStarted>(&event.body))
            std::printf("worker %lld\n", static_cast<long long>(started->pid));
        else if (const auto* changed = std::get_if<StateChanged>(&event.body))
            std::printf("%s\n", std::string(toWireName(changed->state)).c_str());
        std::fflush(stdout);
    });
    std::printf("run %s\n", runner.uuid().c_str());
    runner.holdAfterLoad();
    runner.start();
    runner.wait();
    return 0;
}
