#include "core/Locations.h"
#include "core/Version.h"
#include "core/worker/WorkerProcess.h"
#include "gui/MainWindow.h"
#include "gui/UnixSignals.h"
#include "gui/WindowCall.h"
#include "gui/Words.h"
#include "gui/charts/RenderJob.h"
#include "gui/widgets/ThemeHolder.h"

#include <QApplication>
#include <QFile>
#include <QIcon>

#include <algorithm>
#include <cstdio>

namespace {

using namespace loadlab;

constexpr int kWrongUsage = 2;
constexpr int kLabCannot = 3;

bool isSet(const char* variable)
{
    return !qEnvironmentVariableIsEmpty(variable);
}

/// Qt would abort.
bool hasDisplay(const WindowCall& call)
{
    return call.platformChosen || isSet("QT_QPA_PLATFORM") || isSet("DISPLAY") || isSet("WAYLAND_DISPLAY");
}

int fail(int code, const std::string& message)
{
    std::fprintf(stderr, "loadlab-gui: %s\n", message.c_str());
    return code;
}

std::filesystem::path absolutePath(const std::filesystem::path& path)
{
    std::error_code ignored;
    return std::filesystem::absolute(path, ignored).lexically_normal();
}

int showWindow(QApplication& application, const WindowCall& call)
{
    becomeSubreaper();
    Lab lab = openLab(
        Locations::ofThisProgram(), call.database ? absolutePath(*call.database) : defaultDatabase(), sharedSettingsFile());
    for (const std::filesystem::path& folder : call.zooFolders)
        lab.zooFolders.push_back(absolutePath(folder));
    ThemeHolder theme(application);
    MainWindow window(theme, lab);
    UnixSignals signalsOfUnix;
    QObject::connect(&signalsOfUnix, &UnixSignals::received, &window, &MainWindow::quit);
    window.show();
    window.start();
    return QApplication::exec();
}

int runApplication(int argc, char** argv, const WindowCall& call)
{
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("loadlab-gui"));
    QApplication::setApplicationDisplayName(QStringLiteral("LoadLab"));
    QApplication::setApplicationVersion(toQString(loadlabVersion()));
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/loadlab.svg")));
    QApplication::setDesktopFileName(QStringLiteral("loadlab"));
    return call.renderJob ? renderJob(QFile::decodeName(call.renderJob->c_str())) : showWindow(application, call);
}

} // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    const Result<WindowCall> call = parseWindowCall(arguments);
    if (!call)
        return fail(kWrongUsage, call.error().message);
    if (call->helpAsked || call->versionAsked) {
        const std::string version
            = "loadlab-gui " + std::string(loadlabVersion()) + " (" + std::string(gitRevision()) + ")\n";
        std::fputs((call->helpAsked ? windowHelp() : version).c_str(), stdout);
        return std::fflush(stdout) == 0 ? 0 : kLabCannot;
    }
    if (!hasDisplay(*call) && !call->renderJob)
        return fail(kLabCannot,
            "there is no display: neither $DISPLAY nor $WAYLAND_DISPLAY is set. 'loadlab' does the same on the command "
            "line; over ssh, 'ssh -X' brings the window to where you sit.");
    if (!hasDisplay(*call))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    return runApplication(argc, argv, *call);
}
