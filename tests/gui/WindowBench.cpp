#include "WindowBench.h"

#include <QAbstractButton>
#include <QAction>
#include <QLabel>
#include <QMenu>
#include <QTest>

using namespace loadlab;

WindowBench::WindowBench(ThemeHolder& theme)
    : m_theme(theme)
{
    answerDialogs();
}

WindowBench::WindowBench(ThemeHolder& theme, const std::filesystem::path& folder)
    : m_theme(theme)
    , m_bench(folder)
{
    answerDialogs();
}

void WindowBench::answerDialogs()
{
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
    m_window = std::make_unique<MainWindow>(m_theme, m_bench.lab(), m_dialogs);
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

QAction& actionOf(const QMenu& menu, const QString& beginning)
{
    for (QAction* action : menu.actions())
        if (action->text().startsWith(beginning))
            return *action;
    qFatal("no action %s", qPrintable(beginning));
}
