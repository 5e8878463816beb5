#include "core/Locations.h"
#include "core/Version.h"
#include "core/worker/WorkerProcess.h"
#include "gui/MainWindow.h"
#include "gui/UnixSignals.h"
#include "gui/Words.h"
#include "gui/charts/RenderJob.h"
#include "gui/widgets/ThemeHolder.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QIcon>

namespace {

using namespace loadlab;

const QString kDatabase = QStringLiteral("db");
const QString kZoo = QStringLiteral("zoo");
const QString kRender = QStringLiteral("render");

void describe(QCommandLineParser& parser)
{
    parser.setApplicationDescription(QStringLiteral("The window of LoadLab, a test lab for model loads."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOption(
        {kDatabase, QStringLiteral("Run database (default: $LOADLAB_DB, else $XDG_DATA_HOME/loadlab/runs.sqlite)."),
            QStringLiteral("FILE")});
    parser.addOption({kZoo, QStringLiteral("Folder with checkpoints, instead of the remembered ones; repeatable."),
        QStringLiteral("DIR")});
    parser.addOption({kRender,
        QStringLiteral(
            "Draw one chart as the JSON file JOB says, and end. Needs no display with QT_QPA_PLATFORM=offscreen."),
        QStringLiteral("JOB")});
}

int showWindow(QApplication& application, const QCommandLineParser& parser)
{
    becomeSubreaper();
    Lab lab = openLab(Locations::ofThisProgram(),
        parser.isSet(kDatabase) ? toPath(QFileInfo(parser.value(kDatabase)).absoluteFilePath()) : defaultDatabase(),
        sharedSettingsFile());
    for (const QString& folder : parser.values(kZoo))
        lab.zooFolders.push_back(toPath(QFileInfo(folder).absoluteFilePath()));
    ThemeHolder theme(application);
    MainWindow window(theme, lab);
    UnixSignals signalsOfUnix;
    QObject::connect(&signalsOfUnix, &UnixSignals::received, &window, &MainWindow::quit);
    window.show();
    window.start();
    return QApplication::exec();
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("loadlab-gui"));
    QApplication::setApplicationDisplayName(QStringLiteral("LoadLab"));
    QApplication::setApplicationVersion(toQString(loadlabVersion()));
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/loadlab.svg")));
    QApplication::setDesktopFileName(QStringLiteral("loadlab"));
    QCommandLineParser parser;
    describe(parser);
    parser.process(application);
    return parser.isSet(kRender) ? renderJob(parser.value(kRender)) : showWindow(application, parser);
}
