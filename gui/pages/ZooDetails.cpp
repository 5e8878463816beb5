#include "gui/pages/ZooDetails.h"

#include "gui/Words.h"
#include "gui/models/ZooModel.h"
#include "gui/pages/ColumnScroll.h"
#include "gui/pages/FilesView.h"
#include "gui/pages/SignDelegate.h"
#include "gui/pages/VerifyStrip.h"
#include "gui/widgets/ColumnWidths.h"
#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/FitBar.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/ModeBadge.h"
#include "gui/widgets/SegmentBar.h"
#include "gui/widgets/StateLook.h"
#include "gui/widgets/Type.h"

#include <QDesktopServices>
#include <QFile>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>

namespace loadlab {
namespace {

constexpr int kShownParts = 8;
constexpr int kShownFits = 5;

/// Takes all children and the layout away.
QGridLayout* freshGrid(QWidget& widget)
{
    qDeleteAll(widget.findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    delete widget.layout();
    auto* grid = new QGridLayout(&widget);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(10);
    grid->setVerticalSpacing(4);
    return grid;
}

/// A layout shows what is new in it one turn of the event loop later; until then there would be a hole.
void showAll(const QWidget& widget)
{
    for (QWidget* child : widget.findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly))
        child->show();
}

QLabel* makeSign(const ThemeHolder& theme, const QString& sign, QWidget* parent)
{
    auto* label = new QLabel(parent);
    label->setPixmap(theme.theme().pixmap(sign, roleOfSign(sign), 16, parent->devicePixelRatioF()));
    return label;
}

QLabel* makeRightAligned(const QString& text, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

QLabel* makeWrapped(const QString& text, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

QString onDiskWords(const Checkpoint& checkpoint)
{
    QStringList words;
    if (checkpoint.parameters > 0)
        words << figures::parameters(checkpoint.parameters)
                + (checkpoint.parameters == 1 ? QStringLiteral(" parameter") : QStringLiteral(" parameters"));
    if (checkpoint.tensorCount > 0)
        words << figures::count(checkpoint.tensorCount, QStringLiteral("tensor"), QStringLiteral("tensors"));
    words << weightWords(checkpoint);
    return words.join(QStringLiteral(", "));
}

} // namespace

ZooDetails::ZooDetails(const ThemeHolder& theme, QWidget* parent)
    : Panel({}, parent)
    , m_theme(theme)
    , m_nothing(makeMuted(QStringLiteral("Select a checkpoint to see what it is made of."), this))
    , m_content(buildContent())
{
    setObjectName(QStringLiteral("panel"));
    setAccessibleName(QStringLiteral("Checkpoint details"));
    m_nothing->setAlignment(Qt::AlignCenter);
    m_nothing->setWordWrap(true);
    body()->addWidget(m_nothing, 1);
    body()->addWidget(m_content, 1);
    m_buttons = buildButtons();
    body()->addWidget(m_buttons);
    m_strip = new VerifyStrip(theme, this);
    connect(m_strip, &VerifyStrip::cancelRequested, this, &ZooDetails::cancelVerifyRequested);
    body()->addWidget(m_strip);
    connect(&theme, &ThemeHolder::themeChanged, this, [this] { show(m_checkpoint); });
    show(nullptr);
}

QWidget* ZooDetails::buildContent()
{
    auto* content = new QWidget(this);
    auto* rows = new QVBoxLayout(content);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(8);
    rows->addWidget(buildHead());
    m_columns = new QBoxLayout(QBoxLayout::TopToBottom);
    rows->addLayout(m_columns, 1);
    m_columns->addWidget(buildFacts());
    m_columns->addWidget(buildFigures());
    m_columns->addWidget(buildFiles());
    setFolded(false);
    return new ColumnScroll(content, this);
}

void ZooDetails::setFolded(bool folded)
{
    m_columns->setDirection(folded ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
    m_columns->setSpacing(folded ? 16 : 8);
    for (const auto& [part, share] : {std::pair{0, 2}, {1, 2}, {2, 4}})
        m_columns->setStretch(part, folded ? share : part / 2);
}

QWidget* ZooDetails::buildHead()
{
    auto* content = new QWidget(this);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    auto* head = new QHBoxLayout;
    m_name = makeElidedTitle({}, content);
    m_name->setFont(type::sized(font(), 1.18, true));
    m_name->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_badge = new ModeBadge(m_theme, content);
    head->addWidget(m_name, 1);
    head->addWidget(m_badge);
    column->addLayout(head);
    m_path = makeElidedMuted({}, content);
    m_path->setFont(type::fixed(type::sized(font(), type::kSmall)));
    m_path->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_path->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    column->addWidget(m_path);
    return content;
}

QWidget* ZooDetails::buildFacts()
{
    auto* content = new QWidget(this);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_facts = new QWidget(content);
    m_problems = new QWidget(content);
    column->addWidget(m_facts);
    column->addWidget(m_problems);
    column->addStretch();
    return content;
}

QWidget* ZooDetails::buildFigures()
{
    auto* figures = new QWidget(this);
    auto* column = new QVBoxLayout(figures);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_parts = buildParts();
    m_fits = new QWidget(figures);
    column->addWidget(m_parts);
    column->addWidget(m_fits);
    column->addStretch();
    return figures;
}

QWidget* ZooDetails::buildParts()
{
    auto* parts = new QWidget(this);
    auto* column = new QVBoxLayout(parts);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    column->addWidget(makeHairline(parts));
    auto* head = new QHBoxLayout;
    m_partsTotal = makeMuted({}, parts);
    head->addWidget(makeTitle(QStringLiteral("Components"), parts));
    head->addStretch();
    head->addWidget(m_partsTotal);
    m_segments = new SegmentBar(m_theme, parts);
    column->addLayout(head);
    column->addWidget(m_segments);
    return parts;
}

QWidget* ZooDetails::buildFiles()
{
    auto* files = new QWidget(this);
    auto* column = new QVBoxLayout(files);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    column->addWidget(makeHairline(files));
    auto* head = new QHBoxLayout;
    auto* open = new ActionButton(m_theme, QStringLiteral("Show in folder"), {}, QStringLiteral("link"), files);
    connect(open, &QPushButton::clicked, this, &ZooDetails::openFolder);
    head->addWidget(makeTitle(QStringLiteral("Files"), files));
    head->addStretch();
    head->addWidget(open);
    column->addLayout(head);
    m_files = new FilesModel(this);
    m_filesView = new FilesView(files);
    m_filesView->setModel(m_files);
    m_filesView->setItemDelegateForColumn(
        FilesModel::Check, new SignDelegate(m_theme, FilesModel::SignRole, m_filesView));
    m_filesView->setAccessibleName(QStringLiteral("Files of the checkpoint"));
    m_filesView->setShowGrid(false);
    m_filesView->setWordWrap(false);
    m_filesView->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_filesView->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_filesView->verticalHeader()->hide();
    m_filesView->verticalHeader()->setDefaultSectionSize(m_filesView->fontMetrics().height() + 6);
    QHeaderView& header = *m_filesView->horizontalHeader();
    header.setSectionResizeMode(QHeaderView::Fixed);
    m_filesView->shareRoom();
    m_filesView->setTextElideMode(Qt::ElideMiddle);
    header.setHighlightSections(false);
    m_filesView->setMinimumHeight(90);
    column->addWidget(m_filesView, 1);
    return files;
}

QWidget* ZooDetails::buildButtons()
{
    auto* buttons = new QWidget(this);
    auto* row = new QHBoxLayout(buttons);
    row->setContentsMargins(0, 4, 0, 0);
    auto* newTrial = new ActionButton(
        m_theme, QStringLiteral("New trial"), QStringLiteral("trials"), QStringLiteral("primary"), buttons);
    newTrial->setObjectName(QStringLiteral("newTrialButton"));
    newTrial->setToolTip(QStringLiteral("Set up a trial with this checkpoint (Ctrl+N)"));
    connect(newTrial, &QPushButton::clicked, this, &ZooDetails::newTrialRequested);
    m_verify = new ActionButton(m_theme, QStringLiteral("Verify every byte"), QStringLiteral("shield"), {}, buttons);
    m_verify->setObjectName(QStringLiteral("verifyButton"));
    m_verify->setToolTip(QStringLiteral(
        "Read all files to their end, and compare them with the hub's SHA-256 where it is known (Ctrl+Shift+V)"));
    connect(m_verify, &QPushButton::clicked, this, &ZooDetails::verifyRequested);
    row->addWidget(newTrial);
    row->addWidget(m_verify);
    row->addStretch();
    return buttons;
}

void ZooDetails::show(std::shared_ptr<const Checkpoint> checkpoint)
{
    m_checkpoint = std::move(checkpoint);
    m_nothing->setVisible(!m_checkpoint);
    m_content->setVisible(m_checkpoint != nullptr);
    m_buttons->setVisible(m_checkpoint != nullptr);
    m_files->setCheckpoint(m_checkpoint);
    m_filesView->shareRoom();
    if (!m_checkpoint)
        return;
    m_name->setText(toQString(m_checkpoint->name));
    m_name->setToolTip(m_name->text());
    m_badge->setState(toQString(toWireName(m_checkpoint->state)));
    m_path->setText(shownPath(m_checkpoint->path));
    m_path->setToolTip(toQString(m_checkpoint->path.native()));
    showFacts();
    showProblems();
    showParts();
    showFits();
}

void ZooDetails::showFacts()
{
    QGridLayout* grid = freshGrid(*m_facts);
    int row = 0;
    const auto add = [&](const QString& name, const QString& value) {
        if (value.isEmpty())
            return;
        grid->addWidget(makeMuted(name, m_facts), row, 0, Qt::AlignTop);
        QLabel* label = makeRightAligned(value, m_facts);
        label->setWordWrap(true);
        grid->addWidget(label, row++, 1);
    };
    const QString family
        = m_checkpoint->family.empty() ? QStringLiteral("unknown family") : toQString(m_checkpoint->familyTitle);
    const QString architecture = toQString(m_checkpoint->architecture);
    add(QStringLiteral("Architecture"),
        architecture.isEmpty() ? family : QStringLiteral("%1 (%2)").arg(architecture, family));
    add(QStringLiteral("On disk"), onDiskWords(*m_checkpoint));
    if (m_checkpoint->shardsExpected > 1)
        add(QStringLiteral("Shards"),
            QStringLiteral("%1 of %2").arg(m_checkpoint->shardsPresent).arg(m_checkpoint->shardsExpected));
    grid->setColumnStretch(1, 1);
    showAll(*m_facts);
}

void ZooDetails::showProblems()
{
    QGridLayout* grid = freshGrid(*m_problems);
    int row = 0;
    const auto add = [&](const QString& sign, const QString& words) {
        grid->addWidget(makeSign(m_theme, sign, m_problems), row, 0, Qt::AlignTop);
        grid->addWidget(makeWrapped(words, m_problems), row++, 1);
    };
    for (const Problem& problem : m_checkpoint->problems) {
        if (row == kShownParts) {
            add(QStringLiteral("info"),
                figures::count(m_checkpoint->problems.size() - kShownParts, QStringLiteral("more problem"),
                    QStringLiteral("more problems")));
            break;
        }
        const bool corrupt = problem.mode == FailureMode::CorruptFile;
        const QString text = toQString(problem.text);
        const QString file = toQString(problem.file);
        // "is absent: …" goes on from the file's name.
        const QString joint = text.startsWith(QLatin1String("is ")) ? QStringLiteral(" ") : QStringLiteral(": ");
        const QString words = file.isEmpty() || text.contains(file) ? text : file + joint + text;
        add(corrupt ? QStringLiteral("fail") : QStringLiteral("warn"), inWords(words));
    }
    for (const std::string& note : m_checkpoint->notes)
        if (row < kShownParts)
            add(QStringLiteral("info"), inWords(toQString(note)));
    grid->setColumnStretch(1, 1);
    showAll(*m_problems);
    m_problems->setVisible(row > 0);
}

void ZooDetails::showParts()
{
    QVector<Segment> segments;
    std::uint64_t rest = 0;
    for (const Component& component : m_checkpoint->components) {
        if (segments.size() + 1 < kShownParts)
            segments.push_back(
                {toQString(component.title), component.sizeBytes, segmentRole(static_cast<int>(segments.size()))});
        else
            rest += component.sizeBytes;
    }
    if (rest > 0)
        segments.push_back({QStringLiteral("Other parts"), rest, Role::Other});
    m_parts->setVisible(!segments.isEmpty());
    m_segments->setSegments(std::move(segments));
    m_partsTotal->setText(figures::size(m_checkpoint->weightBytes));
}

void ZooDetails::setMemory(std::uint64_t totalBytes, std::uint64_t availableBytes)
{
    const bool first = m_totalBytes == 0;
    // The figures follow the machine roughly: a table that flickers every second cannot be read.
    const std::uint64_t moved = std::max(availableBytes, m_availableBytes) - std::min(availableBytes, m_availableBytes);
    if (!first && moved < totalBytes / 50)
        return;
    m_totalBytes = totalBytes;
    m_availableBytes = availableBytes;
    if (m_checkpoint)
        showFits();
}

void ZooDetails::showFits()
{
    QGridLayout* grid = freshGrid(*m_fits);
    m_fits->setVisible(!m_checkpoint->estimates.empty() && m_totalBytes > 0);
    grid->addWidget(makeHairline(m_fits), 0, 0, 1, 4);
    grid->addWidget(makeTitle(QStringLiteral("Does it fit here?"), m_fits), 1, 0, 1, 2);
    QLabel* line = makeMuted(QStringLiteral("line: all memory"), m_fits);
    line->setAlignment(Qt::AlignRight);
    grid->addWidget(line, 1, 2, 1, 2);
    int row = 2;
    for (const Estimate& estimate : m_checkpoint->estimates) {
        if (row - 2 == kShownFits)
            break;
        auto* bar = new FitBar(m_theme, m_fits);
        const std::uint64_t other = m_totalBytes - std::min(m_totalBytes, m_availableBytes);
        bar->setValues({other, estimate.peakBytes, estimate.peakBytes, m_totalBytes, {}});
        const bool fits = estimate.peakBytes <= m_availableBytes;
        const std::uint64_t between
            = std::max(m_availableBytes, estimate.peakBytes) - std::min(m_availableBytes, estimate.peakBytes);
        grid->addWidget(
            new QLabel(toQString(estimate.dtype) + QStringLiteral(", ") + toQString(estimate.deviceMap), m_fits), row,
            0);
        grid->addWidget(makeRightAligned(figures::size(estimate.peakBytes), m_fits), row, 1);
        grid->addWidget(bar, row, 2);
        auto* verdict = new QHBoxLayout;
        verdict->setSpacing(4);
        verdict->addWidget(makeSign(m_theme, fits ? QStringLiteral("ok") : QStringLiteral("fail"), m_fits));
        verdict->addWidget(
            makeRightAligned(
                figures::size(between) + (fits ? QStringLiteral(" free") : QStringLiteral(" over")), m_fits),
            1);
        grid->addLayout(verdict, row++, 3);
    }
    grid->setColumnStretch(2, 1);
    showAll(*m_fits);
}

void ZooDetails::follow(const ZooVerifier& verifier)
{
    m_verify->setEnabled(!verifier.checkpoint());
    m_strip->follow(verifier);
}

QWidget* ZooDetails::filesView() const
{
    return m_filesView;
}

void ZooDetails::openFolder() const
{
    const std::filesystem::path& path = m_checkpoint->path;
    const std::filesystem::path folder
        = m_checkpoint->weightFiles.size() == 1 && m_checkpoint->weightFiles.front().path == path ? path.parent_path()
                                                                                                  : path;
    QDesktopServices::openUrl(QUrl::fromLocalFile(QFile::decodeName(folder.c_str())));
}

} // namespace loadlab
