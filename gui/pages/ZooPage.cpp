#include "gui/pages/ZooPage.h"

#include "gui/Words.h"
#include "gui/pages/FoldingSplitter.h"
#include "gui/pages/SignDelegate.h"
#include "gui/pages/ZooDetails.h"
#include "gui/widgets/BadgeDelegate.h"
#include "gui/widgets/Chip.h"
#include "gui/widgets/ColumnWidths.h"
#include "gui/widgets/EmptyState.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/SortHeader.h"

#include <QAction>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QStackedWidget>
#include <QTreeView>
#include <QVBoxLayout>

#include <array>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

struct ChipWords {
    ZooFilter::Kind kind;
    const char* words;
    const char* sign;
    Role role;
};
constexpr std::array kChips{
    ChipWords{ZooFilter::Kind::All, "All", "", Role::Text},
    ChipWords{ZooFilter::Kind::Complete, "Complete", "ok", Role::Ok},
    ChipWords{ZooFilter::Kind::NeedsAttention, "Needs attention", "warn", Role::Warn},
    ChipWords{ZooFilter::Kind::NeverRun, "Never run", "", Role::Text},
};

} // namespace

ZooPage::ZooPage(const ThemeHolder& theme, ZooController& zoo, const Dialogs& dialogs, QWidget* parent)
    : Page(theme, parent)
    , m_zoo(zoo)
    , m_dialogs(dialogs)
    , m_filter(new ZooFilter(this))
    , m_header(new PageHeader(QStringLiteral("Zoo"), this))
    , m_stack(new QStackedWidget(this))
    , m_empty(new EmptyState(theme, this))
    , m_tree(new QTreeView(this))
    , m_find(new QLineEdit(this))
    , m_note(makeMuted({}, this))
    , m_details(new ZooDetails(theme, this))
{
    m_filter->setSourceModel(&zoo.model());
    buildHeader();
    buildTree();
    m_splitter = new FoldingSplitter(buildList(), m_details, {890, 430}, {200, 350}, this);
    connect(m_splitter, &FoldingSplitter::folded, m_details, &ZooDetails::setFolded);
    m_stack->addWidget(padded(m_splitter));
    m_stack->addWidget(m_empty);
    stackUp({m_header, m_stack});
    wire();
    refresh();
}

void ZooPage::buildHeader()
{
    auto* add = new ActionButton(theme(), QStringLiteral("Add folder…"), QStringLiteral("folderplus"), {}, this);
    add->setToolTip(QStringLiteral("Add a folder that holds models (Ctrl+O)"));
    auto* rescan = new ActionButton(theme(), QStringLiteral("Rescan"), QStringLiteral("refresh"), {}, this);
    rescan->setToolTip(QStringLiteral("Look through all folders again (F5)"));
    connect(add, &QPushButton::clicked, this, &ZooPage::addFolder);
    connect(rescan, &QPushButton::clicked, &m_zoo, &ZooController::rescan);
    m_header->addAction(add);
    m_header->addAction(rescan);
}

QWidget* ZooPage::buildFilterRow()
{
    auto* box = new QWidget(this);
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(6);
    for (const ChipWords& words : kChips) {
        auto* chip = new Chip(theme(), QString::fromUtf8(words.words), box);
        chip->setCheckable(true);
        if (*words.sign)
            chip->setSign(QString::fromUtf8(words.sign), words.role);
        connect(chip, &QPushButton::clicked, this, [this, kind = words.kind] {
            m_filter->setKind(kind);
            refresh();
        });
        row->addWidget(chip);
        m_chips << chip;
    }
    row->addStretch();
    m_find->setPlaceholderText(QStringLiteral("Find   Ctrl+F"));
    m_find->setAccessibleName(QStringLiteral("Find a checkpoint"));
    m_find->setClearButtonEnabled(true);
    m_find->setMaximumWidth(200);
    row->addWidget(m_find);
    return box;
}

void ZooPage::buildTree()
{
    m_tree->setHeader(new SortHeader(m_tree));
    m_tree->setModel(m_filter);
    m_tree->setObjectName(QStringLiteral("zooTree"));
    m_tree->setAccessibleName(QStringLiteral("Checkpoints by folder"));
    m_tree->setSortingEnabled(true);
    m_tree->sortByColumn(ZooModel::Name, Qt::AscendingOrder);
    m_tree->setUniformRowHeights(true);
    m_tree->setContextMenuPolicy(Qt::CustomContextMenu);
    m_tree->setItemDelegateForColumn(ZooModel::LastRunColumn, new SignDelegate(theme(), ZooModel::SignRole, m_tree));
    m_tree->setItemDelegateForColumn(ZooModel::State, new BadgeDelegate(theme(), ZooModel::StateRole, m_tree));
    QHeaderView& header = *m_tree->header();
    header.setSectionsMovable(true);
    header.setHighlightSections(false);
    header.setSectionResizeMode(QHeaderView::Interactive);
    const int indent = 2 * m_tree->indentation();
    fitColumns(header,
        {{QStringLiteral("qwen2.5-0.5b-missing-shard"), indent}, {QStringLiteral("Qwen3-Omni")},
            {QStringLiteral("0.842")}, {QStringLiteral("0.494 B")}, {QStringLiteral("int8 packed")},
            {QStringLiteral("15 / 15")}, {QStringLiteral("Pointer files"), ColumnSample::kBadge},
            {QStringLiteral("run 1234"), ColumnSample::kSign}});
    header.setMinimumSectionSize(5 * m_tree->fontMetrics().averageCharWidth());
}

QWidget* ZooPage::buildList()
{
    auto* list = new QWidget(this);
    auto* column = new QVBoxLayout(list);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(buildFilterRow());
    column->addWidget(m_tree, 1);
    m_note->setWordWrap(true);
    column->addWidget(m_note);
    return list;
}

void ZooPage::wire()
{
    connect(&m_zoo, &ZooController::changed, this, &ZooPage::refresh);
    connect(&m_zoo, &ZooController::folderAdded, this, &ZooPage::selectFolder);
    for (const auto changed : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(m_filter, changed, this, &ZooPage::refresh);
    connect(m_filter, &QAbstractItemModel::dataChanged, this, &ZooPage::followSelection);
    connect(m_find, &QLineEdit::textChanged, this, [this](const QString& words) {
        m_filter->setWords(words);
        refresh();
    });
    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, &ZooPage::followSelection);
    connect(m_tree, &QTreeView::activated, this, &ZooPage::requestTrial);
    connect(m_tree, &QWidget::customContextMenuRequested, this, &ZooPage::openMenu);
    connect(m_details, &ZooDetails::newTrialRequested, this, &ZooPage::requestTrial);
    connect(m_details, &ZooDetails::verifyRequested, this, &ZooPage::verify);
    connect(m_details, &ZooDetails::cancelVerifyRequested, &m_zoo, &ZooController::cancelVerify);
    connect(&m_zoo.verifier(), &ZooVerifier::changed, this, [this] { m_details->follow(m_zoo.verifier()); });
    connect(m_empty, &EmptyState::primaryRequested, this, [this] {
        if (m_zoo.folders().empty())
            addFolder();
        else
            m_zoo.rescan();
    });
    connect(m_empty, &EmptyState::otherRequested, this, &ZooPage::addFolder);
}

void ZooPage::refresh()
{
    spanFolders();
    for (qsizetype i = 0; i < m_chips.size(); ++i) {
        const ChipWords& words = kChips[static_cast<std::size_t>(i)];
        m_chips[i]->setText(
            QStringLiteral("%1 %2").arg(QString::fromUtf8(words.words)).arg(m_filter->count(words.kind)));
        m_chips[i]->setChecked(words.kind == m_filter->kind());
    }
    const auto found = static_cast<std::size_t>(m_filter->count(ZooFilter::Kind::All));
    QString remark
        = QStringLiteral("%1 in %2")
              .arg(figures::count(found, QStringLiteral("checkpoint"), QStringLiteral("checkpoints")),
                  figures::count(m_zoo.folders().size(), QStringLiteral("folder"), QStringLiteral("folders")));
    if (m_zoo.isScanning())
        remark += QStringLiteral(", being looked through");
    else if (m_zoo.lastScan())
        remark += QStringLiteral(", scanned in %1").arg(figures::seconds(m_zoo.lastScan()->seconds));
    // "0 checkpoints in 0 folders, scanned in 0.000 s" tells nobody anything.
    m_header->setRemark(m_zoo.folders().empty() ? QString() : remark);
    refreshNote();
    refreshEmpty();
    if (const QModelIndex wanted = m_zoo.model().findCheckpoint(m_wanted); wanted.isValid() && !m_wanted.empty()) {
        m_wanted.clear();
        m_tree->setCurrentIndex(m_filter->mapFromSource(wanted));
    }
}

void ZooPage::refreshNote()
{
    const int attention = m_filter->count(ZooFilter::Kind::NeedsAttention);
    m_note->setText(attention == 0
            ? QString()
            : QStringLiteral("%1 not complete; select one to see why. Nothing is downloaded from here.")
                  .arg(figures::count(static_cast<std::size_t>(attention), QStringLiteral("checkpoint is"),
                      QStringLiteral("checkpoints are"))));
    m_note->setVisible(attention > 0);
}

void ZooPage::refreshEmpty()
{
    const bool none = m_zoo.isReady() && !m_zoo.isScanning() && m_filter->count(ZooFilter::Kind::All) == 0;
    const bool noFolders = m_zoo.folders().empty();
    if (none) {
        m_empty->setWords(QStringLiteral("zoo"), QStringLiteral("No checkpoints yet"),
            noFolders ? QStringLiteral(
                "Add a folder that holds models, or drop one anywhere on this window. Nothing is downloaded.")
                      : QStringLiteral("No checkpoint was found below %1. Add the folder that holds your models, or "
                                       "drop it on this window.")
                            .arg(figures::count(
                                m_zoo.folders().size(), QStringLiteral("folder"), QStringLiteral("folders"))));
        m_empty->setPrimary(noFolders ? QStringLiteral("Add folder…") : QStringLiteral("Rescan"),
            noFolders ? QStringLiteral("folderplus") : QStringLiteral("refresh"));
        m_empty->setOther(noFolders ? QString() : QStringLiteral("Add folder…"));
        m_empty->setShortcut(noFolders ? QKeySequence(Qt::CTRL | Qt::Key_O) : QKeySequence(Qt::Key_F5));
    }
    m_stack->setCurrentIndex(none ? 1 : 0);
}

void ZooPage::spanFolders()
{
    for (int row = 0; row < m_filter->rowCount(); ++row) {
        const QModelIndex folder = m_filter->index(row, 0);
        if (!m_tree->isFirstColumnSpanned(row, {})) {
            m_tree->setFirstColumnSpanned(row, {}, true);
            m_tree->expand(folder);
        }
    }
}

QModelIndex ZooPage::current() const
{
    return m_filter->mapToSource(m_tree->currentIndex());
}

std::shared_ptr<const Checkpoint> ZooPage::selected() const
{
    return m_zoo.model().checkpointAt(current());
}

void ZooPage::followSelection()
{
    if (auto checkpoint = selected(); checkpoint != m_details->checkpoint())
        m_details->show(std::move(checkpoint));
}

void ZooPage::requestTrial()
{
    if (const auto checkpoint = selected())
        Q_EMIT newTrialRequested(checkpoint);
}

void ZooPage::verify()
{
    if (auto checkpoint = selected(); checkpoint && !m_zoo.verifier().checkpoint())
        m_zoo.verify(std::move(checkpoint));
}

void ZooPage::select(const fs::path& checkpoint)
{
    m_filter->setKind(ZooFilter::Kind::All);
    m_find->clear();
    m_wanted = checkpoint;
    refresh();
}

void ZooPage::selectFolder(const fs::path& folder)
{
    const QModelIndex at = m_filter->mapFromSource(m_zoo.model().findFolder(folder));
    if (at.isValid())
        m_tree->setCurrentIndex(at);
}

void ZooPage::addFolder()
{
    const QString folder = m_dialogs.chooseFolder(window(), QStringLiteral("Add a folder that holds models"));
    if (!folder.isEmpty())
        m_zoo.addFolder(toPath(folder));
}

void ZooPage::openMenu(const QPoint& at)
{
    const QModelIndex index = m_filter->mapToSource(m_tree->indexAt(at));
    if (!index.isValid())
        return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    if (const auto checkpoint = m_zoo.model().checkpointAt(index)) {
        menu->addAction(QStringLiteral("New trial"), this, &ZooPage::requestTrial);
        menu->addAction(QStringLiteral("Verify every byte"), this, &ZooPage::verify)
            ->setEnabled(!m_zoo.verifier().checkpoint());
        if (const std::optional<LastRun> last = m_zoo.model().lastRunOf(*checkpoint))
            menu->addAction(QStringLiteral("Open run %1").arg(last->run.value), this,
                [this, last] { Q_EMIT openRunRequested(last->run); });
    } else {
        const fs::path folder = m_zoo.model().folderAt(index);
        QAction* remove
            = menu->addAction(QStringLiteral("Remove from zoo"), this, [this, folder] { m_zoo.removeFolder(folder); });
        remove->setEnabled(m_zoo.canRemove(folder));
    }
    menu->popup(m_tree->viewport()->mapToGlobal(at));
}

void ZooPage::setMemory(std::uint64_t totalBytes, std::uint64_t availableBytes)
{
    m_details->setMemory(totalBytes, availableBytes);
}

QList<QWidget*> ZooPage::panes() const
{
    return {m_find, m_tree, m_details->filesView()};
}

void ZooPage::focusFind()
{
    m_find->setFocus(Qt::ShortcutFocusReason);
    m_find->selectAll();
}

void ZooPage::saveTo(QSettings& settings) const
{
    m_splitter->saveTo(settings, QStringLiteral("splitter"));
    save(settings, QStringLiteral("columns"), *m_tree->header());
    settings.setValue(QStringLiteral("kind"), static_cast<int>(m_filter->kind()));
    if (const auto checkpoint = selected())
        settings.setValue(QStringLiteral("selected"), QByteArray::fromStdString(checkpoint->path.native()));
}

void ZooPage::restoreFrom(const QSettings& settings)
{
    m_splitter->restoreFrom(settings, QStringLiteral("splitter"));
    restore(settings, QStringLiteral("columns"), *m_tree->header());
    const int kind = settings.value(QStringLiteral("kind")).toInt();
    if (kind > 0 && kind < static_cast<int>(kChips.size()))
        m_filter->setKind(static_cast<ZooFilter::Kind>(kind));
    m_wanted = settings.value(QStringLiteral("selected")).toByteArray().toStdString();
    refresh();
}

} // namespace loadlab
