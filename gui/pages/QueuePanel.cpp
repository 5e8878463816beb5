#include "gui/pages/QueuePanel.h"

#include "gui/widgets/BadgeDelegate.h"
#include "gui/widgets/ColumnWidths.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/Panel.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QTreeView>
#include <QVBoxLayout>

namespace loadlab {

QueuePanel::QueuePanel(const ThemeHolder& theme, TrialController& controller, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_controller(controller)
    , m_model(new QueueModel(controller, this))
    , m_view(new QTreeView(this))
    , m_note(makeMuted({}, this))
{
    m_view->setModel(m_model);
    m_view->setAccessibleName(QStringLiteral("Queue of trials"));
    m_view->setRootIsDecorated(false);
    m_view->setUniformRowHeights(true);
    m_view->setItemDelegateForColumn(QueueModel::State, new BadgeDelegate(theme, QueueModel::StateRole, m_view));
    m_view->header()->setStretchLastSection(false);
    m_view->header()->setSectionResizeMode(QueueModel::Trial, QHeaderView::Stretch);
    m_view->header()->setSectionResizeMode(QueueModel::State, QHeaderView::Fixed);
    m_view->header()->resizeSection(QueueModel::State,
        columnWidth(*m_view->header(), QueueModel::State, {QStringLiteral("Dtype conflict"), ColumnSample::kBadge}));
    m_view->setMinimumWidth(m_view->header()->sectionSize(QueueModel::State)
        + columnWidth(*m_view->header(), QueueModel::Trial, {QStringLiteral("qwen2.5…")}) + 2 * m_view->frameWidth());
    m_view->installEventFilter(this);
    m_note->setWordWrap(true);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(buildHead());
    column->addWidget(m_view, 1);
    column->addWidget(m_note);
    connect(&controller, &TrialController::queueChanged, this, &QueuePanel::refresh);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, &QueuePanel::refresh);
    connect(m_view, &QTreeView::activated, this, &QueuePanel::activate);
    refresh();
}

QWidget* QueuePanel::buildHead()
{
    auto* head = new QWidget(this);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(2);
    m_start = new IconButton(m_theme, QStringLiteral("play"), QStringLiteral("Start the next trial"), head);
    m_up = new IconButton(m_theme, QStringLiteral("up"), QStringLiteral("Earlier (Alt+Up)"), head);
    m_down = new IconButton(m_theme, QStringLiteral("down"), QStringLiteral("Later (Alt+Down)"), head);
    m_remove = new IconButton(m_theme, QStringLiteral("x"), QStringLiteral("Take out of the queue (Delete)"), head);
    row->addWidget(makeTitle(QStringLiteral("Queue"), head));
    row->addStretch();
    for (IconButton* button : {m_start, m_up, m_down, m_remove})
        row->addWidget(button);
    connect(m_start, &QToolButton::clicked, &m_controller, &TrialController::startNext);
    connect(m_up, &QToolButton::clicked, this, [this] { moveBy(-1); });
    connect(m_down, &QToolButton::clicked, this, [this] { moveBy(1); });
    connect(m_remove, &QToolButton::clicked, this, &QueuePanel::removeCurrent);
    return head;
}

QWidget* QueuePanel::view() const
{
    return m_view;
}

const QueuedTrial* QueuePanel::current() const
{
    const int row = m_view->currentIndex().row();
    return row < 0 || row >= std::ssize(m_controller.queue()) ? nullptr
                                                              : &m_controller.queue()[static_cast<std::size_t>(row)];
}

void QueuePanel::refresh()
{
    const QueuedTrial* trial = current();
    const bool waiting = trial && trial->state == QueuedTrial::State::Waiting;
    m_up->setEnabled(waiting);
    m_down->setEnabled(waiting);
    m_remove->setEnabled(trial && trial->state != QueuedTrial::State::Running);
    m_start->setEnabled(!m_controller.isBusy() && m_controller.waitingCount() > 0);
    if (m_controller.queue().empty())
        m_note->setText(QStringLiteral("Empty. Run starts a trial at once, Add to queue puts it here."));
    else
        m_note->setText(QStringLiteral("One at a time; the next starts when the one before is recorded."));
}

void QueuePanel::moveBy(int rows)
{
    const QueuedTrial* trial = current();
    if (!trial)
        return;
    const quint64 id = trial->id;
    m_controller.move(id, rows);
    for (int row = 0; row < m_model->rowCount(); ++row)
        if (m_model->index(row, 0).data(QueueModel::IdRole).toULongLong() == id)
            m_view->setCurrentIndex(m_model->index(row, 0));
}

void QueuePanel::removeCurrent()
{
    if (const QueuedTrial* trial = current())
        m_controller.remove(trial->id);
}

void QueuePanel::activate(const QModelIndex&)
{
    const QueuedTrial* trial = current();
    if (!trial)
        return;
    if (trial->state == QueuedTrial::State::Done && trial->run)
        Q_EMIT openRunRequested(*trial->run);
    else
        Q_EMIT trialChosen(trial->spec);
}

bool QueuePanel::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != m_view || event->type() != QEvent::KeyPress)
        return QWidget::eventFilter(watched, event);
    const auto* key = static_cast<QKeyEvent*>(event);
    const bool alt = key->modifiers() == Qt::AltModifier;
    if (alt && key->key() == Qt::Key_Up)
        moveBy(-1);
    else if (alt && key->key() == Qt::Key_Down)
        moveBy(1);
    else if (key->key() == Qt::Key_Delete)
        removeCurrent();
    else
        return QWidget::eventFilter(watched, event);
    return true;
}

} // namespace loadlab
