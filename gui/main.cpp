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
#include <cstdlib>
#include <optional>

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

constexpr const char* kOtherWays = "'loadlab' does the same on the command line; over ssh, 'ssh -X' brings the window "
                                   "to where you sit.";

/// Where no platform plugin can start Qt warns, then aborts: this says what it found, and ends with 3 instead. In force
/// while the application object is being made; other warnings of that time are printed as they come.
class DisplayProbe {
public:
    DisplayProbe() { qInstallMessageHandler(&DisplayProbe::take); }
    ~DisplayProbe() { qInstallMessageHandler(nullptr); }
    DisplayProbe(const DisplayProbe&) = delete;
    DisplayProbe& operator=(const DisplayProbe&) = delete;

private:
    static void take(QtMsgType type, const QMessageLogContext& context, const QString& text)
    {
        static std::string reason;
        if (type == QtFatalMsg) {
            fail(kLabCannot,
                "no window can be opened: " + (reason.empty() ? text.section(u'\n', 0, 0).toStdString() : reason) + ". "
                    + kOtherWays);
            std::_Exit(kLabCannot);
        }
        const bool ofPlatform = text.contains(QLatin1String("connect to display"))
            || text.contains(QLatin1String("Qt platform plugin")) || text.contains(QLatin1String("wl_display"));
        if (ofPlatform && reason.empty())
            reason = text.trimmed().toStdString();
        else if (!ofPlatform)
            std::fprintf(stderr, "%s\n", qFormatLogMessage(type, context, text).toLocal8Bit().constData());
    }
};

std::filesystem::path absolutePath(const std::filesystem::path& path)
{
    std::error_code ignored;
    return std::filesystem::absolute(path, ignored).lexically_normal();
}

int showWindow(QApplication& application, const WindowCall& call)
{
    becomeSubreaper();
    Lab lab = openLab(Locations::ofThisProgram(), call.database ? absolutePath(*call.database) : defaultDatabase(),
        sharedSettingsFile());
    for (const std::filesystem::path& folder : call.zooFolders)
        lab.zooFolders.push_back(absolutePath(folder));
    for (const std::filesystem::path& folder : call.addedFolders)
        lab.addedZooFolders.push_back(absolutePath(folder));
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
    std::optional<DisplayProbe> probe(std::in_place);
    QApplication application(argc, argv);
    probe.reset();
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
            std::string("there is no display: neither $DISPLAY nor $WAYLAND_DISPLAY is set. ") + kOtherWays);
    // A picture needs none, and whether one that is named answers is not asked.
    if (call->renderJob && !call->platformChosen)
        qputenv("QT_QPA_PLATFORM", "offscreen");
    return runApplication(argc, argv, *call);
}
