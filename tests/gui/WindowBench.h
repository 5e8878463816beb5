#pragma once

#include "LabBench.h"
#include "gui/MainWindow.h"

#include <QString>
#include <QStringList>

#include <memory>

class QAbstractButton;
class QAction;

/// The one theme of the application, which owns it.
loadlab::ThemeHolder& applicationTheme();

/// The real window over a lab of its own; dialogs are answered from `answers`, first come first served. Figures are in
/// the C locale.
class WindowBench {
public:
    WindowBench();
    /// Over what another lab left in this folder.
    explicit WindowBench(const std::filesystem::path& folder);

    /// Makes the window (again: as after a restart, over the same folder) and shows it.
    loadlab::MainWindow& open();
    void close(); ///< Takes the window away without a question.

    [[nodiscard]] loadlab::MainWindow& window() const { return *m_window; }
    [[nodiscard]] LabBench& bench() { return m_bench; }
    QStringList answers;
    QStringList asked; ///< What was suggested to save as.

    /// A visible widget of the window by object name; ends the test when there is none.
    template <typename T> T& find(const QString& name) const
    {
        for (T* found : m_window->findChildren<T*>(name))
            if (found->isVisible())
                return *found;
        qFatal("no visible %s", qPrintable(name));
    }
    /// Of a label; empty while it is not visible.
    [[nodiscard]] QString labelText(const QString& name) const;
    void click(const QString& buttonName) const;
    void press(const QKeySequence& keys) const;
    /// Every text that is visible on the page in front, for tests of words.
    [[nodiscard]] QString visibleText() const;
    /// The page as it stands: large and small, light and dark; NAME-light-1440 and so on by shots::keep().
    void shoot(const QString& name) const;

private:
    void prepare();

    LabBench m_bench;
    loadlab::Dialogs m_dialogs;
    std::unique_ptr<loadlab::MainWindow> m_window;
};

/// The action of a menu whose text begins like this; ends the test when there is none.
QAction& actionOf(const QMenu& menu, const QString& beginning);
