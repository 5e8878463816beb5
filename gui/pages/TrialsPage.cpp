#include "gui/pages/TrialsPage.h"

#include "gui/CommandLine.h"
#include "gui/Words.h"
#include "gui/pages/ColumnScroll.h"
#include "gui/pages/PreflightPanel.h"
#include "gui/pages/QueuePanel.h"
#include "gui/pages/TrialForm.h"
#include "gui/widgets/EmptyState.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/Type.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

constexpr int kCheckMs = 150;
constexpr int kCheckpointsMs = 100;

} // namespace

TrialsPage::TrialsPage(const ThemeHolder& theme, const Lab& lab, ZooController& zoo, TrialController& controller,
    const Dialogs& dialogs, QWidget* parent)
    : Page(theme, parent)
    , m_lab(lab)
    , m_zoo(zoo)
    , m_controller(controller)
    , m_dialogs(dialogs)
    , m_header(new PageHeader(QStringLiteral("Trials"), this))
    , m_stack(new QStackedWidget(this))
    , m_empty(new EmptyState(theme, this))
    , m_splitter(new QSplitter(Qt::Horizontal, this))
    , m_queue(new QueuePanel(theme, controller, this))
    , m_form(new TrialForm(theme, lab, this))
    , m_preflight(new PreflightPanel(theme, this))
    , m_command(new QLineEdit(this))
    , m_background(Background::AtEnd::Drop)
{
    buildHeader();
    m_splitter->addWidget(m_queue);
    m_splitter->addWidget(buildForm());
    m_splitter->addWidget(m_preflight);
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setSizes({260, 640, 390});
    m_splitter->setStretchFactor(0, 2);
    m_splitter->setStretchFactor(1, 5);
    m_splitter->setStretchFactor(2, 3);
    m_stack->addWidget(padded(m_splitter));
    m_stack->addWidget(m_empty);
    stackUp({m_header, m_stack});
    wire();
    takeCheckpoints();
    check();
}

void TrialsPage::buildHeader()
{
    m_header->setRemark(QStringLiteral("one checkpoint, one variant, one run"));
    auto* watch = new ActionButton(theme(), QStringLiteral("Watch a program"), QStringLiteral("live"), {}, m_header);
    watch->setObjectName(QStringLiteral("watchButton"));
    watch->setToolTip(QStringLiteral("Measure, cap and judge any program instead of a load"));
    m_header->addAction(watch);
    connect(watch, &QPushButton::clicked, this, &TrialsPage::watchProgram);
}

QWidget* TrialsPage::buildForm()
{
    auto* panel = new QFrame(this);
    panel->setObjectName(QStringLiteral("panel"));
    auto* column = new QVBoxLayout(panel);
    column->setContentsMargins(1, 1, 1, 1);
    column->setSpacing(0);
    column->addWidget(new ColumnScroll(m_form, panel), 1);
    column->addWidget(buildCommandLine());
    return panel;
}

QWidget* TrialsPage::buildCommandLine()
{
    auto* box = new QWidget(this);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(16, 6, 16, 12);
    column->setSpacing(4);
    column->addWidget(makeHairline(box));
    auto* head = new QHBoxLayout;
    auto* copy = new ActionButton(theme(), QStringLiteral("Copy"), QStringLiteral("copy"), QStringLiteral("link"), box);
    copy->setAccessibleName(QStringLiteral("Copy the command line"));
    connect(copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(commandLine()); });
    head->addWidget(makeMuted(QStringLiteral("Same on the command line"), box));
    head->addStretch();
    head->addWidget(copy);
    column->addLayout(head);
    m_command->setReadOnly(true);
    m_command->setObjectName(QStringLiteral("commandLine"));
    m_command->setAccessibleName(QStringLiteral("Same on the command line"));
    m_command->setFont(type::fixed(font()));
    column->addWidget(m_command);
    return box;
}

void TrialsPage::wire()
{
    m_checkTimer.setSingleShot(true);
    m_checkTimer.setInterval(kCheckMs);
    m_checkpointsTimer.setSingleShot(true);
    m_checkpointsTimer.setInterval(kCheckpointsMs);
    connect(&m_checkTimer, &QTimer::timeout, this, &TrialsPage::check);
    connect(&m_checkpointsTimer, &QTimer::timeout, this, &TrialsPage::takeCheckpoints);
    connect(m_form, &TrialForm::changed, &m_checkTimer, qOverload<>(&QTimer::start));
    connect(m_form, &TrialForm::browseRequested, this, &TrialsPage::browse);
    ZooModel& model = m_zoo.model();
    for (const auto changed : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(&model, changed, &m_checkpointsTimer, qOverload<>(&QTimer::start));
    connect(&m_zoo, &ZooController::changed, &m_checkpointsTimer, qOverload<>(&QTimer::start));
    connect(m_queue, &QueuePanel::openRunRequested, this, &TrialsPage::openRunRequested);
    connect(m_queue, &QueuePanel::trialChosen, this, [this](const TrialSpec& spec) {
        m_form->setVariant(spec.variant);
        m_form->setLimits(spec.limits);
        if (spec.program.empty())
            inspectAndDraft(spec.checkpoint, [] {});
        else
            m_form->setProgram(spec.program, spec.workingFolder, spec.variables);
    });
    connect(m_preflight, &PreflightPanel::repairRequested, m_form, &TrialForm::setVariant);
    connect(m_preflight, &PreflightPanel::fixAndRunRequested, this, [this](const Variant& variant) {
        m_form->setVariant(variant);
        run();
    });
    connect(m_preflight, &PreflightPanel::runRequested, this, &TrialsPage::run);
    connect(m_preflight, &PreflightPanel::queueRequested, this, &TrialsPage::addToQueue);
    connect(&m_controller, &TrialController::queueChanged, this, &TrialsPage::refresh);
    connect(m_empty, &EmptyState::primaryRequested, this, &TrialsPage::zooRequested);
    connect(m_empty, &EmptyState::otherRequested, this, &TrialsPage::browse);
}

void TrialsPage::takeCheckpoints()
{
    m_form->setCheckpoints(m_zoo.model().checkpoints());
    refresh();
}

/// Judges the form as it stands. Costs microseconds: everything it asks is in memory.
void TrialsPage::check()
{
    const std::shared_ptr<const Checkpoint> checkpoint = m_form->checkpoint();
    TrialQuestion question;
    question.checkpoint = checkpoint.get();
    question.program = m_form->programQuestion();
    question.variant = m_form->variant();
    question.plugin = m_form->plugin();
    question.pluginIsInstalled = m_form->pluginIsInstalled();
    question.machine = &m_lab.machine;
    if (m_availableBytes > 0)
        question.availableBytes = m_availableBytes;
    const TrialInspection inspection = inspectTrial(question);
    m_form->showRemarks(inspection);
    m_preflight->show(inspection);
    const Result<TrialSpec> spec = m_form->spec();
    m_preflight->setObstacle(spec ? QString() : toSentence(spec.error()));
    m_command->setText(spec ? toQString(commandLineOf(*spec, m_lab.database)) : QString());
    m_command->setCursorPosition(0);
    refresh();
}

void TrialsPage::refresh()
{
    m_preflight->setBusy(m_controller.isBusy());
    const bool nothing = !m_form->checkpoint() && !m_form->takesProgram() && m_controller.queue().empty()
        && m_zoo.model().checkpoints().empty();
    if (nothing) {
        m_empty->setWords(QStringLiteral("trials"), QStringLiteral("Choose what to load"),
            QStringLiteral(
                "A trial is one checkpoint with one backend, dtype and device map. The zoo holds no checkpoint yet.%1")
                .arg(m_availableBytes == 0
                        ? QString()
                        : QStringLiteral(" The machine has %1 free now.").arg(figures::size(m_availableBytes))));
        m_empty->setPrimary(QStringLiteral("Open the zoo"), QStringLiteral("zoo"));
        m_empty->setOther(QStringLiteral("Choose a folder…"), QStringLiteral("folder"));
        m_empty->setHint(QStringLiteral("Ctrl+1"));
    }
    m_stack->setCurrentIndex(nothing ? 1 : 0);
}

QString TrialsPage::commandLine() const
{
    const Result<TrialSpec> spec = m_form->spec();
    return spec ? toQString(commandLineOf(*spec, m_lab.database)) : QString();
}

void TrialsPage::draft(std::shared_ptr<const Checkpoint> checkpoint)
{
    m_form->choose(std::move(checkpoint));
    check();
}

void TrialsPage::draft(const TrialIdentity& identity, const Variant& variant, const std::optional<std::string>& remedy)
{
    m_form->setVariant(variant);
    m_form->setLimits(identity.limits);
    const auto asChild = [this, uuid = identity.uuid, remedy] {
        m_form->setParent(uuid, remedy);
        check();
    };
    if (identity.program.empty())
        return inspectAndDraft(identity.checkpointPath, asChild);
    m_form->setProgram(identity.program, identity.workingFolder, identity.variables);
    asChild();
}

/// Takes the zoo's snapshot where there is one, else looks at the path in the background.
void TrialsPage::inspectAndDraft(const std::filesystem::path& path, std::function<void()> then)
{
    if (const auto known = m_zoo.model().checkpointAt(m_zoo.model().findCheckpoint(path))) {
        draft(known);
        then();
        return;
    }
    m_background.ask(
        this, [path, &families = m_lab.families] { return inspectCheckpoint(path, families); },
        [this, then = std::move(then)](Result<Checkpoint> checkpoint) {
            if (!checkpoint) {
                Q_EMIT failed(toSentence(checkpoint.error()));
                return;
            }
            draft(std::make_shared<const Checkpoint>(std::move(*checkpoint)));
            then();
        });
}

void TrialsPage::watchProgram()
{
    m_form->watchProgram();
    check();
}

void TrialsPage::browse()
{
    if (m_form->takesProgram()) {
        const QString folder = m_dialogs.chooseFolder(window(), QStringLiteral("Choose the folder it starts in"));
        if (!folder.isEmpty())
            m_form->setFolder(toPath(folder));
        return;
    }
    const QString folder = m_dialogs.chooseFolder(window(), QStringLiteral("Choose a checkpoint's folder"));
    if (!folder.isEmpty())
        inspectAndDraft(toPath(folder), [] {});
}

void TrialsPage::run()
{
    Result<TrialSpec> spec = m_form->spec();
    if (!spec) {
        m_preflight->setObstacle(toSentence(spec.error()));
        return;
    }
    const QString name = m_form->subject();
    if (m_controller.isBusy()) {
        m_controller.enqueue(std::move(*spec), name);
        return;
    }
    m_controller.run(std::move(*spec), name);
    Q_EMIT runAsked();
}

void TrialsPage::addToQueue()
{
    Result<TrialSpec> spec = m_form->spec();
    if (spec)
        m_controller.enqueue(std::move(*spec), m_form->subject());
    else
        m_preflight->setObstacle(toSentence(spec.error()));
}

void TrialsPage::setMemory(std::uint64_t totalBytes, std::uint64_t availableBytes)
{
    m_preflight->setMemory(totalBytes, availableBytes);
    const bool first = m_availableBytes == 0;
    m_availableBytes = availableBytes;
    if (first)
        check();
}

QList<QWidget*> TrialsPage::panes() const
{
    return {m_queue->view(), m_form, m_preflight};
}

void TrialsPage::saveTo(QSettings& settings) const
{
    save(settings, QStringLiteral("splitter"), *m_splitter);
    if (const Result<Limits> limits = m_form->limits())
        settings.setValue(QStringLiteral("limits"), QString::fromStdString(toJson(*limits).dump()));
}

void TrialsPage::restoreFrom(const QSettings& settings)
{
    restore(settings, QStringLiteral("splitter"), *m_splitter);
    const auto kept
        = nlohmann::json::parse(settings.value(QStringLiteral("limits")).toString().toStdString(), nullptr, false);
    if (const Result<Limits> limits = limitsFromJson(kept); limits && kept.is_object())
        m_form->setLimits(*limits);
}

} // namespace loadlab
