#include "WindowBench.h"

#include "Shots.h"
#include "gui/charts/ChartPanel.h"

#include <QAbstractButton>
#include <QAction>
#include <QApplication>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QTest>

using namespace loadlab;

ThemeHolder& applicationTheme()
{
    if (auto* made = qApp->findChild<ThemeHolder*>())
        return *made;
    return *new ThemeHolder(*qApp); // Its child.
}

WindowBench::WindowBench()
{
    prepare();
}

WindowBench::WindowBench(const std::filesystem::path& folder)
    : m_bench(folder)
{
    prepare();
}

void WindowBench::prepare()
{
    QLocale::setDefault(QLocale::c());
    const auto answer = [this] { return answers.isEmpty() ? QString() : answers.takeFirst(); };
    m_dialogs.chooseFolder = [answer](QWidget*, const QString&) { return answer(); };
    m_dialogs.chooseFile = m_dialogs.chooseFolder;
    m_dialogs.chooseSaveFile = [this, answer](QWidget*, const QString&, const QString& suggested, const QString&) {
        asked << suggested;
        return answer();
    };
}

MainWindow& WindowBench::open()
{
    m_window.reset();
    m_window = std::make_unique<MainWindow>(applicationTheme(), m_bench.lab(), m_dialogs);
    m_window->show();
    m_window->start();
    if (!QTest::qWaitForWindowExposed(m_window.get()))
        qFatal("the window does not show");
    return *m_window;
}

void WindowBench::close()
{
    m_window.reset();
}

QString WindowBench::labelText(const QString& name) const
{
    const auto* label = m_window->findChild<QLabel*>(name);
    return label && label->isVisible() ? label->text() : QString();
}

void WindowBench::click(const QString& buttonName) const
{
    QTest::mouseClick(&find<QAbstractButton>(buttonName), Qt::LeftButton);
}

void WindowBench::press(const QKeySequence& keys) const
{
    QTest::keySequence(m_window.get(), keys);
}

QString WindowBench::visibleText() const
{
    QString all;
    for (const QLabel* label : m_window->findChildren<QLabel*>())
        if (label->isVisible())
            all += label->text() + QLatin1Char('\n');
    for (const QAbstractButton* button : m_window->findChildren<QAbstractButton*>())
        if (button->isVisible())
            all += button->text() + QLatin1Char('\n');
    return all;
}

void WindowBench::shoot(const QString& name) const
{
    if (!qEnvironmentVariableIsSet("LOADLAB_SHOTS"))
        return;
    for (const auto& [scheme, colour] :
        {std::pair{ThemeHolder::Scheme::Light, "light"}, {ThemeHolder::Scheme::Dark, "dark"}})
        for (const QSize size : {QSize(1440, 900), QSize(1024, 680)}) {
            applicationTheme().setScheme(scheme);
            m_window->resize(size);
            QCoreApplication::processEvents();
            for (ChartPanel* panel : m_window->findChildren<ChartPanel*>())
                panel->chart().flush();
            QCoreApplication::processEvents();
            shots::keep(QStringLiteral("%1-%2-%3").arg(name, QString::fromLatin1(colour)).arg(size.width()), *m_window);
        }
    applicationTheme().setScheme(ThemeHolder::Scheme::Light);
    m_window->resize(1440, 900);
}

QAction& actionOf(const QMenu& menu, const QString& beginning)
{
    for (QAction* action : menu.actions())
        if (action->text().startsWith(beginning))
            return *action;
    qFatal("no action %s", qPrintable(beginning));
}
