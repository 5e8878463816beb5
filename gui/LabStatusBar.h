#pragma once

#include "gui/Lab.h"
#include "gui/MachineWatch.h"
#include "gui/RunLibrary.h"
#include "gui/TrialController.h"
#include "gui/widgets/ThemeHolder.h"

#include <QStatusBar>
#include <QTimer>

class QLabel;
class QPushButton;
class QToolButton;

namespace loadlab {

class MemoryMeter;

/// Machine, memory, swap, pressure, the running load, the state of the database: always in sight.
class LabStatusBar : public QStatusBar {
    Q_OBJECT

public:
    LabStatusBar(const ThemeHolder& theme, const Lab& lab, TrialController& controller, RunLibrary& library,
        QWidget* parent = nullptr);

    void showReading(const MachineReading& reading);

Q_SIGNALS:
    void liveRequested();
    void runsRequested();

private:
    QLabel* addPart();
    void refreshLoad();
    void refreshMeter();
    void refreshDatabase();
    [[nodiscard]] QString loadWords() const;

    const ThemeHolder& m_theme;
    const Lab& m_lab;
    TrialController& m_controller;
    RunLibrary& m_library;
    QLabel* m_machine;
    MemoryMeter* m_meter;
    QLabel* m_used;
    QLabel* m_swap;
    QLabel* m_psi;
    QPushButton* m_load;
    QToolButton* m_database;
    QTimer m_tick;
    SystemMemory m_memory; ///< As last read.
};

} // namespace loadlab
