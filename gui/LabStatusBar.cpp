#include "gui/LabStatusBar.h"

#include "core/Units.h"
#include "gui/Words.h"
#include "gui/models/ForecastWords.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/MemoryMeter.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/StateLook.h"

#include <QLabel>
#include <QLocale>
#include <QToolButton>

namespace loadlab {

LabStatusBar::LabStatusBar(
    const ThemeHolder& theme, const Lab& lab, TrialController& controller, RunLibrary& library, QWidget* parent)
    : QStatusBar(parent)
    , m_theme(theme)
    , m_lab(lab)
    , m_controller(controller)
    , m_library(library)
{
    setSizeGripEnabled(false);
    setContentsMargins(8, 0, 8, 0);
    m_machine = addPart();
    m_machine->setText(QStringLiteral("%1  ·  %2").arg(lab.machineName(), figures::size(lab.machine.memoryBytes)));
    m_machine->setToolTip(toQString(lab.machine.cpuModel) + QLatin1Char('\n') + toQString(lab.machine.distribution)
        + QLatin1Char('\n') + toQString(lab.machine.kernel));
    m_meter = new MemoryMeter(theme, this);
    addWidget(m_meter);
    m_used = addPart();
    m_swap = addPart();
    m_psi = addPart();
    m_load = new ActionButton(theme, {}, QStringLiteral("play"), QStringLiteral("link"), this);
    m_load->setToolTip(QStringLiteral("Open Live (Ctrl+3)"));
    m_load->setObjectName(QStringLiteral("statusLoad"));
    m_database = new QToolButton(this);
    m_database->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_database->setAutoRaise(true);
    m_database->setFocusPolicy(Qt::TabFocus);
    m_database->setObjectName(QStringLiteral("statusDatabase"));
    addPermanentWidget(m_load);
    addPermanentWidget(m_database);
    m_tick.setInterval(1000);
    connect(&m_tick, &QTimer::timeout, this, &LabStatusBar::refreshLoad);
    connect(m_load, &QPushButton::clicked, this, &LabStatusBar::liveRequested);
    connect(m_database, &QToolButton::clicked, this, &LabStatusBar::runsRequested);
    for (const auto signal : {&TrialController::runStarted, &TrialController::runEnded, &TrialController::runRecorded,
             &TrialController::recordingErrorChanged})
        connect(&controller, signal, this, [this] {
            refreshLoad();
            refreshDatabase();
        });
    connect(&controller, &TrialController::runNumbered, this, &LabStatusBar::refreshLoad);
    connect(&library, &RunLibrary::stateChanged, this, &LabStatusBar::refreshDatabase);
    refreshLoad();
    refreshDatabase();
}

QLabel* LabStatusBar::addPart()
{
    QLabel* label = makeMuted({}, this);
    label->setContentsMargins(6, 0, 6, 0);
    addWidget(label);
    return label;
}

void LabStatusBar::showReading(const MachineReading& reading)
{
    const SystemMemory& memory = reading.memory;
    m_memory = memory;
    refreshMeter();
    m_swap->setText(memory.swapTotalBytes == 0 ? QStringLiteral("No swap")
                                               : QStringLiteral("Swap %1").arg(figures::size(memory.swapUsedBytes)));
    m_psi->setText(reading.psiSomePercent
            ? QStringLiteral("PSI some %1 %").arg(QLocale().toString(*reading.psiSomePercent, 'f', 1))
            : QString());
}

/// The guard stands in the machine's meter only where the machine is what it judges by.
void LabStatusBar::refreshMeter()
{
    const std::uint64_t total = m_memory.totalBytes;
    const std::uint64_t used = total - std::min(total, m_memory.availableBytes);
    const LiveOutlook& look = m_controller.outlook();
    std::optional<std::uint64_t> guard;
    if (m_controller.isRunning() && look.margin && look.memory && look.memory->kind == MemoryPool::Kind::Machine)
        guard = total - std::min(total, look.margin->of(total));
    m_meter->setValues(used, total, guard);
    m_used->setText(QStringLiteral("%1 of %2%3")
                        .arg(figures::size(used), figures::size(total),
                            guard ? QStringLiteral("  guard at %1").arg(figures::gib(*guard)) : QString()));
}

QString LabStatusBar::loadWords() const
{
    const LiveRun& live = m_controller.live();
    const std::optional<RunId> id = m_controller.liveRunId();
    QString words = id ? QStringLiteral("Run %1").arg(id->value) : QStringLiteral("Load");
    if (live.isEmpty() || !m_controller.isRunning())
        return words + QStringLiteral(" being recorded");
    words += QLatin1Char(' ') + lookOf(toQString(toWireName(live.state()))).words.toLower();
    const double elapsed = live.elapsedS(monotonicNs());
    if (const Forecast& memory = m_controller.outlook().toLimit; memory.why == Forecast::Why::Foretold)
        return words
            + QStringLiteral(", limit in %1").arg(figures::seconds(std::max(0.0, *memory.limitReachedS - elapsed)));
    const auto& limit = live.started().identity.limits.timeout;
    return limit ? words
            + QStringLiteral(", time limit in %1")
                  .arg(figures::seconds(std::max(0.0, std::chrono::duration<double>(*limit).count() - elapsed)))
                 : words + QStringLiteral(", %1").arg(figures::seconds(elapsed));
}

void LabStatusBar::refreshLoad()
{
    const bool busy = m_controller.isBusy();
    m_load->setVisible(busy);
    if (busy)
        m_load->setText(loadWords());
    if (busy != m_tick.isActive()) {
        if (busy)
            m_tick.start();
        else
            m_tick.stop();
    }
}

void LabStatusBar::refreshDatabase()
{
    const DatabaseState& state = m_library.state();
    const QString runs = figures::count(m_library.storedRuns(), QStringLiteral("run"), QStringLiteral("runs"));
    QString words = runs + QStringLiteral(" · saved");
    QString why = shownPath(m_library.database());
    if (m_controller.recordingError()) {
        words = QStringLiteral("This run is not being stored");
        why = toSentence(*m_controller.recordingError());
    } else if (state.kind == DatabaseState::Kind::Opening) {
        words = QStringLiteral("Opening the database");
    } else if (state.kind == DatabaseState::Kind::ReadOnly) {
        words = runs + QStringLiteral(" · read only, new runs are not kept");
        why = state.words;
    } else if (state.kind == DatabaseState::Kind::Unusable) {
        words = QStringLiteral("Database cannot be used, runs are not kept");
        why = state.words;
    }
    const bool bad = m_controller.recordingError() || state.kind == DatabaseState::Kind::ReadOnly
        || state.kind == DatabaseState::Kind::Unusable;
    m_database->setText(words);
    m_database->setToolTip(why);
    m_database->setAccessibleDescription(why);
    m_database->setIcon(bad ? m_theme.icon(QStringLiteral("warn"), Role::Warn) : QIcon());
}

} // namespace loadlab
