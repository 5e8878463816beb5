#include "gui/pages/TrialForm.h"

#include "core/ShellWords.h"
#include "core/worker/Spawn.h"
#include "gui/Words.h"
#include "gui/pages/LimitEditors.h"
#include "gui/pages/OptionEditors.h"
#include "gui/pages/ProgramEditor.h"
#include "gui/pages/RemarkLabel.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/StateLook.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QStyle>

#include <algorithm>

namespace loadlab {
namespace {

constexpr int kLabelColumn = 0;
constexpr int kEditorColumn = 1;
constexpr int kRemarkColumn = 2;
/// Rows of the form; those that stay empty take no room. Each is two of the grid: below the editor is the place of its
/// remark where the form is too narrow for a third column.
enum Row { kModelRow = 0, kLoadingRow = 10, kOptionsRow = 20, kLimitsRow = 200, kEndRow = 210 };
constexpr int kGridRows = 2;
constexpr int kNarrowCharacters = 84;
constexpr int kLabels = 96;
constexpr int kNarrowLabels = 80;

QComboBox* makeCombo(const QString& name, QWidget* parent)
{
    auto* combo = new QComboBox(parent);
    combo->setAccessibleName(name);
    combo->setObjectName(name);
    combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    combo->setMinimumContentsLength(10);
    combo->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    return combo;
}

/// The rest is in the editor's tooltip.
QString firstSentence(const QString& help)
{
    const qsizetype end = help.indexOf(QLatin1String(". "));
    return end < 0 ? help : help.left(end + 1);
}

} // namespace

TrialForm::TrialForm(const ThemeHolder& theme, const Lab& lab, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_lab(lab)
    , m_grid(new QGridLayout(this))
{
    m_grid->setContentsMargins(16, 10, 16, 10);
    m_grid->setHorizontalSpacing(10);
    m_grid->setVerticalSpacing(6);
    m_grid->setColumnMinimumWidth(kLabelColumn, kLabels);
    m_grid->setColumnStretch(kEditorColumn, 5);
    m_grid->setColumnStretch(kRemarkColumn, 4);
    buildModel();
    buildProgram();
    buildLoading();
    buildLimits();
    m_grid->setRowStretch(kEndRow * kGridRows, 1);
    fillBackends();
    takeBackend();
}

QLabel* TrialForm::addSection(const QString& title, int row)
{
    QLabel* label = makeTitle(title, this);
    label->setContentsMargins(0, row > 0 ? 6 : 0, 0, 0);
    m_grid->addWidget(label, row * kGridRows, kLabelColumn, 1, 3);
    return label;
}

QLabel* TrialForm::addRow(int row, const QString& words, QWidget* editor, Remark::Field field)
{
    QLabel* label = makeMuted(words, this);
    label->setBuddy(editor);
    m_grid->addWidget(label, row * kGridRows, kLabelColumn);
    m_grid->addWidget(editor, row * kGridRows, kEditorColumn);
    if (!m_remarks.contains(field)) {
        auto* remark = new RemarkLabel(m_theme, this);
        m_remarks[field] = remark;
        m_places[remark] = row;
        place(*remark);
    }
    return label;
}

void TrialForm::place(RemarkLabel& remark)
{
    const int row = m_places[&remark] * kGridRows;
    m_grid->removeWidget(&remark);
    m_grid->addWidget(&remark, m_narrow ? row + 1 : row, m_narrow ? kEditorColumn : kRemarkColumn);
}

void TrialForm::resizeEvent(QResizeEvent* event)
{
    // The place it has: beside long words of a remark it is wider itself.
    const int room = parentWidget() ? std::min(width(), parentWidget()->width()) : width();
    const bool narrow = room < kNarrowCharacters * fontMetrics().averageCharWidth();
    if (narrow != m_narrow) {
        m_narrow = narrow;
        m_grid->setColumnStretch(kRemarkColumn, narrow ? 0 : 4);
        m_grid->setColumnMinimumWidth(kLabelColumn, narrow ? kNarrowLabels : kLabels);
        m_grid->setContentsMargins(narrow ? 10 : 16, 10, narrow ? 10 : 16, 10);
        for (const auto& [remark, row] : m_places)
            place(*remark);
    }
    QWidget::resizeEvent(event);
}

void TrialForm::buildModel()
{
    m_modelTitle = addSection(QStringLiteral("Model"), kModelRow);
    auto* box = new QWidget(this);
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(4);
    m_checkpoint = makeCombo(QStringLiteral("Checkpoint"), box);
    auto* browse = new IconButton(
        m_theme, QStringLiteral("folder"), QStringLiteral("Choose a folder that is not in the zoo"), box);
    row->addWidget(m_checkpoint, 1);
    row->addWidget(browse);
    m_checkpointRows = {addRow(kModelRow + 1, QStringLiteral("Checkpoint"), box, Remark::Field::Checkpoint), box};
    connect(browse, &QToolButton::clicked, this, &TrialForm::browseRequested);
    connect(m_checkpoint, &QComboBox::currentIndexChanged, this, [this](int index) {
        if (m_filling)
            return;
        m_chosen = index < 0 ? nullptr : m_checkpoints[static_cast<std::size_t>(index)];
        setParent({}, {});
        Q_EMIT changed();
    });
}

void TrialForm::buildProgram()
{
    m_program = new ProgramEditor(this);
    m_folder = new FolderEditor(m_theme, this);
    QLabel* label = addRow(kModelRow + 2, QStringLiteral("Program"), m_program, Remark::Field::Program);
    m_grid->addWidget(m_program->words(), (kModelRow + 3) * kGridRows, kEditorColumn, 1, 2);
    QLabel* folderLabel = addRow(kModelRow + 4, QStringLiteral("Starts in"), m_folder, Remark::Field::WorkingFolder);
    m_variables = new VariablesEditor(this);
    QLabel* variablesLabel = addRow(kModelRow + 5, QStringLiteral("Variables"), m_variables, Remark::Field::Variables);
    m_programRows = {label, m_program, m_program->words(), folderLabel, m_folder, variablesLabel, m_variables};
    connect(m_program, &ProgramEditor::changed, this, &TrialForm::changed);
    connect(m_folder, &FolderEditor::changed, this, &TrialForm::changed);
    connect(m_variables, &VariablesEditor::changed, this, &TrialForm::changed);
    connect(m_folder, &FolderEditor::browseRequested, this, &TrialForm::browseRequested);
}

void TrialForm::buildLoading()
{
    addSection(QStringLiteral("Loading"), kLoadingRow);
    m_backend = makeCombo(QStringLiteral("Backend"), this);
    m_dtype = makeCombo(QStringLiteral("Dtype"), this);
    m_deviceMap = makeCombo(QStringLiteral("Device map"), this);
    m_maxMemory = new QLineEdit(this);
    m_maxMemory->setAccessibleName(QStringLiteral("Memory per device"));
    m_maxMemory->setPlaceholderText(QStringLiteral("not limited; 0=20GiB,cpu=60GiB"));
    m_maxMemory->setToolTip(QStringLiteral("At most so much on each device; devices that are not named are not used"));
    addRow(kLoadingRow + 1, QStringLiteral("Backend"), m_backend, Remark::Field::Backend);
    for (QWidget* widget :
        {static_cast<QWidget*>(addRow(kLoadingRow + 2, QStringLiteral("Dtype"), m_dtype, Remark::Field::Dtype)),
            static_cast<QWidget*>(
                addRow(kLoadingRow + 3, QStringLiteral("Device map"), m_deviceMap, Remark::Field::DeviceMap)),
            static_cast<QWidget*>(m_dtype), static_cast<QWidget*>(m_deviceMap)})
        m_checkpointRows.push_back(widget);
    m_maxMemoryLabel = addRow(kLoadingRow + 4, QStringLiteral("Max memory"), m_maxMemory, Remark::Field::Option);
    connect(m_backend, &QComboBox::currentIndexChanged, this, [this] {
        takeBackend();
        Q_EMIT changed();
    });
    connect(m_dtype, &QComboBox::currentTextChanged, this, &TrialForm::changed);
    connect(m_deviceMap, &QComboBox::currentTextChanged, this, &TrialForm::changed);
    connect(m_maxMemory, &QLineEdit::textChanged, this, &TrialForm::changed);
}

void TrialForm::buildLimits()
{
    addSection(QStringLiteral("Limits"), kLimitsRow);
    m_limits = new LimitEditors(this);
    int row = kLimitsRow;
    for (const LimitEditors::Row& limit : m_limits->rows())
        addRow(++row, limit.label, limit.editor, Remark::Field::Limits);
    connect(m_limits, &LimitEditors::changed, this, &TrialForm::changed);
}

bool TrialForm::takesProgram() const
{
    const PluginEntry* entry = plugin();
    return entry && entry->manifest && entry->manifest->takesProgram;
}

void TrialForm::watchProgram()
{
    for (const PluginEntry& entry : m_lab.plugins)
        if (entry.manifest && entry.manifest->takesProgram && m_installed.contains(entry.name))
            m_backend->setCurrentIndex(m_backend->findData(toQString(entry.name)));
    m_program->line()->setFocus(Qt::OtherFocusReason);
}

void TrialForm::setProgram(
    const std::vector<std::string>& program, const std::filesystem::path& folder, const ProgramVariables& variables)
{
    m_program->setProgram(program);
    m_folder->setFolder(folder);
    m_variables->setVariables(variables);
}

void TrialForm::setFolder(const std::filesystem::path& folder)
{
    m_folder->setFolder(folder);
}

std::optional<ProgramQuestion> TrialForm::programQuestion() const
{
    if (!takesProgram())
        return std::nullopt;
    ProgramQuestion question;
    const Result<std::filesystem::path> folder = m_folder->folder();
    if (!folder)
        question.folderError = folder.error();
    if (const Result<ProgramVariables> variables = m_variables->variables(); !variables)
        question.variablesError = variables.error();
    question.inertSigns = m_program->inertSigns();
    if (const auto words = m_program->program())
        question.found = findProgram(words->front(), folder ? *folder : std::filesystem::path());
    else if (words.error().kind == ErrorKind::Invalid)
        question.found = words.error();
    return question;
}

QString TrialForm::subject() const
{
    if (!takesProgram())
        return m_chosen ? toQString(m_chosen->name) : QString();
    const auto words = m_program->program();
    return words ? toQString(programWords(*words)) : QString();
}

void TrialForm::buildOptions(const PluginManifest& manifest)
{
    qDeleteAll(std::exchange(m_options, {}));
    for (QWidget* widget : m_optionWidgets)
        if (auto* remark = qobject_cast<RemarkLabel*>(widget))
            m_places.erase(remark);
    qDeleteAll(std::exchange(m_optionWidgets, {}));
    int row = kOptionsRow;
    for (const PluginOption& option : manifest.options)
        addOption(row++, option);
}

void TrialForm::addOption(int row, const PluginOption& option)
{
    auto* editor = new OptionEditor(option, this);
    QLabel* label = makeMuted(option.type == OptionType::Bool ? QString() : toQString(option.label), this);
    label->setBuddy(editor->widget());
    label->setWordWrap(true);
    auto* help = new RemarkLabel(m_theme, this);
    help->showHint(inWords(firstSentence(toQString(option.help))));
    m_grid->addWidget(label, row * kGridRows, kLabelColumn);
    m_grid->addWidget(editor->widget(), row * kGridRows, kEditorColumn);
    m_places[help] = row;
    place(*help);
    connect(editor, &OptionEditor::changed, this, &TrialForm::changed);
    m_options.push_back(editor);
    label->show();
    editor->widget()->show();
    for (QWidget* widget : {editor->widget(), static_cast<QWidget*>(label), static_cast<QWidget*>(help)})
        m_optionWidgets.push_back(widget);
}

void TrialForm::setCheckpoints(std::vector<std::shared_ptr<const Checkpoint>> checkpoints)
{
    m_checkpoints = std::move(checkpoints);
    std::stable_sort(
        m_checkpoints.begin(), m_checkpoints.end(), [](const auto& a, const auto& b) { return a->name < b->name; });
    fillCheckpoints();
}

void TrialForm::choose(std::shared_ptr<const Checkpoint> checkpoint)
{
    m_chosen = std::move(checkpoint);
    setParent({}, {});
    if (takesProgram() && m_loader >= 0)
        m_backend->setCurrentIndex(m_loader);
    fillCheckpoints();
    Q_EMIT changed();
}

void TrialForm::fillCheckpoints()
{
    m_filling = true;
    const auto samePath = [this](const auto& one) { return m_chosen && one->path == m_chosen->path; };
    auto at = std::find_if(m_checkpoints.begin(), m_checkpoints.end(), samePath);
    if (m_chosen && at == m_checkpoints.end())
        at = m_checkpoints.insert(m_checkpoints.begin(), m_chosen);
    const bool renewed = m_chosen && *at != m_chosen;
    const auto row = m_chosen ? static_cast<int>(at - m_checkpoints.begin()) : -1;
    m_checkpoint->clear();
    for (const auto& checkpoint : m_checkpoints) {
        m_checkpoint->addItem(toQString(checkpoint->name));
        m_checkpoint->setItemData(m_checkpoint->count() - 1, toQString(checkpoint->path.native()), Qt::ToolTipRole);
    }
    m_checkpoint->setPlaceholderText(QStringLiteral("choose a checkpoint"));
    m_checkpoint->setCurrentIndex(row);
    if (m_chosen)
        m_chosen = *at;
    m_filling = false;
    if (renewed)
        Q_EMIT changed();
}

std::shared_ptr<const Checkpoint> TrialForm::checkpoint() const
{
    return m_chosen;
}

void TrialForm::setLimits(const Limits& limits)
{
    m_limits->setLimits(limits);
}

Result<Limits> TrialForm::limits() const
{
    return m_limits->limits();
}

void TrialForm::setParent(std::optional<std::string> uuid, std::optional<std::string> remedy)
{
    m_parentUuid = std::move(uuid);
    m_remedy = std::move(remedy);
}

Result<void> TrialForm::readProgram(TrialSpec& into) const
{
    Result<std::vector<std::string>> program = m_program->program();
    if (!program)
        return std::move(program).error();
    Result<std::filesystem::path> folder = m_folder->folder();
    if (!folder)
        return std::move(folder).error();
    Result<ProgramVariables> variables = m_variables->variables();
    if (!variables)
        return std::move(variables).error();
    into.program = *std::move(program);
    into.variables = *std::move(variables);
    into.workingFolder = *std::move(folder);
    return {};
}

Result<TrialSpec> TrialForm::spec() const
{
    const PluginEntry* entry = plugin();
    if (!m_chosen && !takesProgram())
        return Error{ErrorKind::NotFound, "choose a checkpoint"};
    if (!pluginIsInstalled())
        return Error{ErrorKind::NotFound, "no backend is installed that could load it"};
    TrialSpec spec;
    if (const Result<void> subject = takesProgram() ? readProgram(spec) : Result<void>(); !subject)
        return subject.error();
    Result<Limits> limited = limits();
    if (!limited)
        return std::move(limited).error();
    Variant asked = variant();
    if (const QString text = m_maxMemory->text().trimmed(); !text.isEmpty() && m_maxMemory->isVisibleTo(this)) {
        auto maxMemory = parseMaxMemory(text.toStdString());
        if (!maxMemory)
            return std::move(maxMemory).error().in("Max memory");
        asked.maxMemory = std::move(*maxMemory);
    }
    Result<Variant> normal = entry->manifest->normalise(asked);
    if (!normal)
        return std::move(normal).error();
    if (!takesProgram())
        spec.checkpoint = m_chosen->path;
    spec.variant = std::move(*normal);
    spec.limits = *limited;
    spec.plugin = *entry->manifest;
    spec.parentUuid = m_parentUuid;
    spec.remedyApplied = m_remedy;
    return spec;
}

QWidget* TrialForm::editorOf(Remark::Field field) const
{
    switch (field) {
    case Remark::Field::Checkpoint:
        return m_checkpoint;
    case Remark::Field::Program:
        return m_program->line();
    case Remark::Field::WorkingFolder:
        return m_folder->line();
    case Remark::Field::Variables:
        return m_variables->line();
    case Remark::Field::Backend:
        return m_backend;
    case Remark::Field::Dtype:
        return m_dtype;
    case Remark::Field::DeviceMap:
        return m_deviceMap;
    default:
        return nullptr;
    }
}

void TrialForm::mark(QWidget* editor, bool bad)
{
    if (editor->property("bad").toBool() == bad)
        return;
    editor->setProperty("bad", bad);
    editor->style()->unpolish(editor);
    editor->style()->polish(editor);
}

void TrialForm::showRemarks(const TrialInspection& inspection)
{
    for (const auto& [field, label] : m_remarks) {
        const Remark* remark = inspection.find(field);
        if (remark)
            label->show(*remark);
        else
            label->clear();
        if (QWidget* editor = editorOf(field))
            mark(editor, remark && remark->level == Remark::Level::Error);
    }
}

} // namespace loadlab
