#include "gui/pages/RunsPage.h"

#include "gui/Lab.h"
#include "gui/Words.h"
#include "gui/pages/FoldingSplitter.h"
#include "gui/pages/RunDetails.h"
#include "gui/pages/RunFilterBar.h"
#include "gui/widgets/BadgeDelegate.h"
#include "gui/widgets/ColumnWidths.h"
#include "gui/widgets/EmptyState.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/SortHeader.h"
#include "gui/widgets/SparklineDelegate.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

namespace loadlab {
namespace {

constexpr std::uint64_t kChoicesLookedThrough = 2000;
constexpr int kSparklineWidth = 48;
enum StackPage { List, Empty };

QStringList sorted(QStringList words)
{
    words.removeDuplicates();
    words.removeAll(QString());
    words.sort(Qt::CaseInsensitive);
    return words;
}

} // namespace

RunsPage::RunsPage(
    const ThemeHolder& theme, const Lab& lab, RunLibrary& library, RunExporter& exporter, QWidget* parent)
    : Page(theme, parent)
    , m_lab(lab)
    , m_library(library)
    , m_exporter(exporter)
    , m_model(new RunsModel(library, this))
    , m_header(new PageHeader(QStringLiteral("Runs"), this))
    , m_filter(new RunFilterBar(theme, this))
    , m_stack(new QStackedWidget(this))
    , m_empty(new EmptyState(theme, this))
    , m_table(new QTableView(this))
    , m_details(new RunDetails(theme, lab, this))
{
    buildHeader();
    buildTable();
    m_stack->addWidget(m_table);
    m_stack->addWidget(m_empty);
    auto* left = new QWidget(this);
    auto* leftColumn = new QVBoxLayout(left);
    leftColumn->setContentsMargins(0, 0, 0, 0);
    leftColumn->setSpacing(8);
    leftColumn->addWidget(m_filter);
    leftColumn->addWidget(m_stack, 1);
    m_splitter = new FoldingSplitter(left, m_details, {950, 360}, {230, 330}, this);
    connect(m_splitter, &FoldingSplitter::folded, m_details, &RunDetails::setFolded);
    stackUp({m_header, padded(m_splitter)});
    wire();
    refresh();
}

void RunsPage::buildHeader()
{
    m_header->setRemark(QStringLiteral("every load, whatever came of it"));
    m_export = new ActionButton(theme(), QStringLiteral("Export…"), QStringLiteral("export"), {}, m_header);
    m_export->setObjectName(QStringLiteral("exportButton"));
    m_export->setToolTip(QStringLiteral("Export the run that is shown (Ctrl+E)"));
    m_header->addAction(m_export);
    connect(m_export, &QPushButton::clicked, this, [this] { openExport(m_export); });
}

void RunsPage::buildTable()
{
    m_table->setHorizontalHeader(new SortHeader(m_table));
    m_table->setModel(m_model);
    m_table->setObjectName(QStringLiteral("runsTable"));
    m_table->setAccessibleName(QStringLiteral("Runs"));
    m_table->setShowGrid(false);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setTabKeyNavigation(false);
    m_table->setWordWrap(false);
    m_table->setTextElideMode(Qt::ElideMiddle);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_table->verticalHeader()->setDefaultSectionSize(m_table->fontMetrics().height() + 8);
    m_table->setItemDelegateForColumn(RunsModel::Outcome, new BadgeDelegate(theme(), RunsModel::ModeRole, m_table));
    m_table->setItemDelegateForColumn(RunsModel::CurveColumn,
        new SparklineDelegate(
            theme(), {RunsModel::SparkValuesRole, RunsModel::ModeRole, RunsModel::SparkKeyRole}, m_table));
    QHeaderView& header = *m_table->horizontalHeader();
    header.setHighlightSections(false);
    header.setSectionsMovable(true);
    header.setSortIndicatorShown(true);
    header.setSortIndicator(RunsModel::Run, Qt::DescendingOrder);
    fitColumns(header,
        {{QStringLiteral("12345")}, {QStringLiteral("26 Dec 21:40")}, {QStringLiteral("qwen3-omni-30b-int8-awq")},
            {QStringLiteral("transformers")}, {QStringLiteral("bfloat16")}, {QStringLiteral("sequential")},
            {{}, kSparklineWidth}, {QStringLiteral("0.842")}, {QStringLiteral("25 min 48 s")},
            {QStringLiteral("Structure mismatch"), ColumnSample::kBadge}});
}

void RunsPage::wire()
{
    m_refreshTimer.setSingleShot(true);
    m_refreshTimer.setInterval(1000);
    connect(m_table->horizontalHeader(), &QHeaderView::sortIndicatorChanged, this,
        [this](int column, Qt::SortOrder order) { m_model->sort(column, order); });
    connect(m_filter, &RunFilterBar::changed, this, &RunsPage::takeFilter);
    connect(m_model, &RunsModel::answered, this, &RunsPage::refresh);
    connect(m_model, &QAbstractItemModel::modelReset, this, &RunsPage::keepSelection);
    connect(m_model, &QAbstractItemModel::rowsInserted, this, &RunsPage::keepSelection);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &RunsPage::followSelection);
    connect(&m_library, &RunLibrary::stateChanged, this, &RunsPage::refresh);
    connect(&m_library, &RunLibrary::runsChanged, &m_refreshTimer, [this] {
        if (!m_refreshTimer.isActive())
            m_refreshTimer.start();
    });
    connect(&m_refreshTimer, &QTimer::timeout, this, [this] {
        refreshChoices();
        if (m_details->run() && !m_details->run()->result.verdict && m_wanted)
            askDetails(*m_wanted);
    });
    connect(m_details, &RunDetails::previousRequested, this, [this] { step(-1); });
    connect(m_details, &RunDetails::nextRequested, this, [this] { step(1); });
    connect(m_details, &RunDetails::openRunRequested, this, &RunsPage::open);
    connect(m_details, &RunDetails::exportRequested, this, &RunsPage::openExport);
    connect(m_details, &RunDetails::remedyRequested, this, &RunsPage::remedyRequested);
    connect(m_details, &RunDetails::runAgainRequested, this,
        [this] { Q_EMIT runAgainRequested(m_details->run()->result); });
    connect(
        m_details, &RunDetails::changeRequested, this, [this] { Q_EMIT changeRequested(m_details->run()->result); });
    connect(m_empty, &EmptyState::primaryRequested, this, [this] {
        if (m_filter->activeCount() > 0)
            m_filter->dropLast();
        else if (m_library.state().kind == DatabaseState::Kind::Unusable)
            m_library.open(m_lab.machine.bootId);
        else
            Q_EMIT newTrialRequested();
    });
    connect(m_empty, &EmptyState::otherRequested, m_filter, &RunFilterBar::clearAll);
}

void RunsPage::takeFilter()
{
    m_model->setFilter(m_filter->filter());
}

void RunsPage::refresh()
{
    m_filter->setCounts(m_model->matching(), m_model->stored());
    m_export->setEnabled(m_details->run().has_value());
    refreshEmpty();
}

void RunsPage::refreshEmpty()
{
    const bool unusable = m_library.state().kind == DatabaseState::Kind::Unusable;
    const int filters = m_filter->activeCount();
    if (unusable || m_model->error()) {
        const QString why = unusable ? m_library.state().words : toSentence(*m_model->error());
        m_empty->setWords(QStringLiteral("warn"), QStringLiteral("The run database cannot be used"),
            why + QStringLiteral(" Loads can be started all the same; their results are shown on Live, but not kept."));
        m_empty->setPrimary(QStringLiteral("Try again"), QStringLiteral("refresh"));
        m_empty->setOther({});
        m_empty->setHint(shownPath(m_library.database()));
    } else if (filters > 0) {
        m_empty->setWords(QStringLiteral("filter"),
            filters == 1 ? QStringLiteral("No run matches this filter")
                         : QStringLiteral("No run matches %1 filters").arg(filters),
            QStringLiteral("%1 stored.")
                .arg(figures::count(m_model->stored(), QStringLiteral("run is"), QStringLiteral("runs are"))));
        m_empty->setPrimary(QStringLiteral("Drop %1").arg(m_filter->lastWords()), QStringLiteral("x"));
        m_empty->setOther(filters > 1 ? QStringLiteral("Clear all") : QString());
        m_empty->setHint(QStringLiteral("Esc"));
    } else {
        m_empty->setWords(QStringLiteral("runs"), QStringLiteral("No runs yet"),
            QStringLiteral("Every load is kept here with its curve and verdict, the failed ones too."));
        m_empty->setPrimary(QStringLiteral("New trial"), QStringLiteral("plus"));
        m_empty->setOther({});
        m_empty->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_N));
    }
    const bool nothing = unusable || (m_model->isReady() && m_model->matching() == 0);
    m_stack->setCurrentIndex(nothing ? Empty : List);
}

/// What the chips' menus offer: what the newest runs had.
void RunsPage::refreshChoices()
{
    RunFilter newest;
    newest.limit = kChoicesLookedThrough;
    m_library.askRows(this, newest, [this](Result<std::vector<RunRow>> rows) {
        if (!rows)
            return;
        QStringList checkpoints, dtypes, maps, backends;
        for (const RunRow& row : *rows) {
            checkpoints << toQString(row.checkpointName);
            if (row.program.empty()) {
                dtypes << toQString(row.variant.dtype);
                maps << toQString(row.variant.deviceMap);
            }
            backends << toQString(row.variant.backend);
        }
        m_filter->setChoices(sorted(checkpoints), sorted(dtypes), sorted(maps), sorted(backends));
    });
}

void RunsPage::followSelection()
{
    const RunRow* row = m_model->rowAt(m_table->currentIndex().row());
    if (!row || m_wanted == row->run)
        return;
    m_wanted = row->run;
    askDetails(row->run);
}

void RunsPage::askDetails(RunId run)
{
    const std::uint64_t number = ++*m_detailsNewest;
    m_library.askRun(this, run, m_detailsNewest, number, [this](Result<OpenedRun> stored) {
        if (stored)
            m_details->showRun(std::move(*stored));
        else
            m_details->showWords(toSentence(stored.error()));
        m_export->setEnabled(m_details->run().has_value());
    });
}

void RunsPage::open(RunId run)
{
    m_wanted = run;
    askDetails(run);
    keepSelection();
}

/// The row of the shown run keeps the selection when rows came before it.
void RunsPage::keepSelection()
{
    const int row = m_wanted ? m_model->findRow(*m_wanted) : -1;
    if (row < 0 || row == m_table->currentIndex().row())
        return;
    m_table->selectionModel()->setCurrentIndex(
        m_model->index(row, 0), QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    m_table->scrollTo(m_model->index(row, 0));
}

void RunsPage::step(int by)
{
    const int row = m_table->currentIndex().row() + by;
    if (row >= 0 && row < m_model->rowCount())
        m_table->selectRow(row);
}

std::vector<int> RunsPage::selectedRows() const
{
    std::vector<int> rows;
    for (const QModelIndex& index : m_table->selectionModel()->selectedRows())
        rows.push_back(index.row());
    std::sort(rows.begin(), rows.end());
    return rows;
}

/// Rows that were never looked at are read first: all that the filter holds, in its order.
void RunsPage::copyRows()
{
    const std::vector<int> rows = selectedRows();
    std::vector<RunRow> read;
    for (const int row : rows)
        if (const RunRow* known = m_model->rowAt(row))
            read.push_back(*known);
    if (read.size() == rows.size()) {
        if (!read.empty())
            QGuiApplication::clipboard()->setText(toTsv(read));
        return;
    }
    m_library.askRows(this, m_model->filter(), [rows](Result<std::vector<RunRow>> all) {
        std::vector<RunRow> chosen;
        for (const int row : rows)
            if (all && row < std::ssize(*all))
                chosen.push_back(std::move((*all)[static_cast<std::size_t>(row)]));
        QGuiApplication::clipboard()->setText(toTsv(chosen));
    });
}

void RunsPage::exportMenu(QMenu& menu)
{
    if (!m_details->run()) {
        menu.addAction(QStringLiteral("Select a run first"))->setEnabled(false);
        return;
    }
    fillExportMenu(
        menu,
        [this](ExportFormat format, double scale) { m_exporter.ask(window(), m_details->document(), format, scale); },
        [this] { m_exporter.copy(m_details->document()); });
    menu.addAction(QStringLiteral("Copy rows as a table"), this, &RunsPage::copyRows);
}

void RunsPage::openExport(QWidget* below)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    exportMenu(*menu);
    menu->popup(below->mapToGlobal(QPoint(0, below->height())));
}

std::optional<RunId> RunsPage::shownRun() const
{
    return m_details->run() ? m_details->run()->result.run : std::nullopt;
}

void RunsPage::applyFirstRemedy()
{
    m_details->applyFirstRemedy();
}

void RunsPage::focusLog()
{
    m_details->focusLog();
}

void RunsPage::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape && m_filter->activeCount() > 0)
        m_filter->dropLast();
    else
        Page::keyPressEvent(event);
}

QList<QWidget*> RunsPage::panes() const
{
    return QList<QWidget*>{m_filter->wordsEdit(), m_table} + m_details->panes();
}

void RunsPage::focusFind()
{
    m_filter->focusWords();
}

void RunsPage::saveTo(QSettings& settings) const
{
    m_splitter->saveTo(settings, QStringLiteral("splitter"));
    save(settings, QStringLiteral("columns"), *m_table->horizontalHeader());
    const RunFilter filter = m_filter->filter();
    QStringList modes;
    for (const FailureMode mode : filter.modes)
        modes << toQString(toWireName(mode));
    settings.setValue(QStringLiteral("modes"), modes);
    settings.setValue(QStringLiteral("onlyFailed"), filter.onlyFailed);
    settings.setValue(QStringLiteral("model"), toQString(filter.model));
    settings.setValue(QStringLiteral("dtype"), toQString(filter.dtype));
    settings.setValue(QStringLiteral("deviceMap"), toQString(filter.deviceMap));
    settings.setValue(QStringLiteral("backend"), toQString(filter.backend));
    settings.setValue(QStringLiteral("words"), toQString(filter.words));
}

void RunsPage::restoreFrom(const QSettings& settings)
{
    m_splitter->restoreFrom(settings, QStringLiteral("splitter"));
    restore(settings, QStringLiteral("columns"), *m_table->horizontalHeader());
    RunFilter filter;
    for (const QString& mode : settings.value(QStringLiteral("modes")).toStringList())
        if (const std::optional<FailureMode> known = findFailureMode(mode.toStdString()))
            filter.modes.push_back(*known);
    filter.onlyFailed = settings.value(QStringLiteral("onlyFailed")).toBool();
    filter.model = settings.value(QStringLiteral("model")).toString().toStdString();
    filter.dtype = settings.value(QStringLiteral("dtype")).toString().toStdString();
    filter.deviceMap = settings.value(QStringLiteral("deviceMap")).toString().toStdString();
    filter.backend = settings.value(QStringLiteral("backend")).toString().toStdString();
    filter.words = settings.value(QStringLiteral("words")).toString().toStdString();
    m_filter->setFilter(filter);
    const QHeaderView& header = *m_table->horizontalHeader();
    m_model->sort(header.sortIndicatorSection(), header.sortIndicatorOrder());
    m_model->setFilter(filter);
}

} // namespace loadlab
