#include "LabBench.h"
#include "gui/MainWindow.h"

#include <QApplication>
#include <cstdio>

using namespace loadlab;

/// The real window in a process of its own, over a lab in the folder given; loads until somebody kills it. Says
/// "worker PID" and then "sample SECONDS" for every batch of samples that reached the window.
int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    if (argc != 2)
        return 2;
    LabBench bench(argv[1]);
    ThemeHolder theme(application);
    MainWindow window(theme, bench.lab(), Dialogs());
    window.show();
    window.start();
    TrialController& controller = window.controller();
    QObject::connect(&controller, &TrialController::runUpdated, &window, [](const LiveUpdate& update) {
        for (const RunEvent& event : update.events) {
            if (const auto* worker = std::get_if<WorkerStarted>(&event.body))
                std::printf("worker %lld\n", static_cast<long long>(worker->pid));
            if (const auto* samples = std::get_if<SamplesTaken>(&event.body))
                std::printf("sample %.6f\n", static_cast<double>(samples->samples.back().monotonicNs) / 1e9);
        }
        std::fflush(stdout);
    });
    controller.run(bench.fakeTrial("slow", {{"seconds", "600"}, {"steps", "6000"}}), QStringLiteral("fake"));
    return QApplication::exec();
}
