#include "Shots.h"
#include "gui/widgets/BadgeDelegate.h"
#include "gui/widgets/Chip.h"
#include "gui/widgets/ColumnWidths.h"
#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/EmptyState.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/FitBar.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/LinkLabel.h"
#include "gui/widgets/MemoryMeter.h"
#include "gui/widgets/ModeBadge.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/SegmentBar.h"
#include "gui/widgets/SortHeader.h"
#include "gui/widgets/SparklineDelegate.h"
#include "gui/widgets/StateLook.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QSignalSpy>
#include <QStandardItemModel>
#include <QTableView>
#include <QVBoxLayout>
#include <QtTest>

#include <cmath>

using namespace loadlab;

namespace {

constexpr std::uint64_t gib(double value)
{
    return static_cast<std::uint64_t>(value * 1024 * 1024 * 1024);
}

enum { Values = Qt::UserRole, State, Key };

/// Dark pixels: words on a light ground.
int inkIn(const QImage& image)
{
    int ink = 0;
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x)
            ink += qGray(image.pixel(x, y)) < 190;
    return ink;
}

/// First and last column with ink; −1 without any.
std::pair<int, int> inkSpan(const QImage& image)
{
    int first = -1;
    int last = -1;
    for (int x = 0; x < image.width(); ++x)
        if (inkIn(image.copy(x, 0, 1, image.height())) > 0) {
            first = first < 0 ? x : first;
            last = x;
        }
    return {first, last};
}

QVector<float> rising(double from, double to)
{
    QVector<float> values;
    for (int i = 0; i < 60; ++i)
        values << static_cast<float>(from + (to - from) * std::pow(i / 59.0, 1.4));
    return values;
}

std::unique_ptr<QStandardItemModel> runsModel()
{
    auto model = std::make_unique<QStandardItemModel>(0, 3);
    model->setHorizontalHeaderLabels(
        {QStringLiteral("Checkpoint"), QStringLiteral("Curve"), QStringLiteral("Outcome")});
    int row = 0;
    for (const char* mode : {"", "ok", "hang", "host_lost", "structure_mismatch", "host_oom_killed", "unknown",
             "device_map_error", "missing_dependency", "incomplete_download", "guard_stopped", "loaded_but_wrong",
             "cancelled", "dtype_quantization_conflict"}) {
        const QString wire = QString::fromLatin1(mode);
        auto* curve = new QStandardItem;
        curve->setData(QVariant::fromValue(row % 3 == 2 ? rising(5, 6) : rising(row, 60)), Values);
        curve->setData(wire, State);
        curve->setData(QStringLiteral("%1").arg(row), Key);
        auto* outcome = new QStandardItem;
        outcome->setData(wire, State);
        outcome->setData(lookOf(wire).words, Qt::AccessibleTextRole);
        model->appendRow({new QStandardItem(QStringLiteral("qwen3-omni-30b")), curve, outcome});
        ++row;
    }
    return model;
}

/// The number of pixels that have the colour.
int pixelsOf(const QImage& image, const QColor& color)
{
    int count = 0;
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x)
            count += image.pixelColor(x, y) == color ? 1 : 0;
    return count;
}

} // namespace

class tst_Widgets : public QObject {
    Q_OBJECT

private:
    ThemeHolder m_light{Theme::light()};

private Q_SLOTS:
    void initTestCase()
    {
        QLocale::setDefault(QLocale::c());
        shots::dress(m_light);
    }

    void aBadgeSaysItsModeInWords()
    {
        ModeBadge badge(m_light);
        badge.setState(QStringLiteral("host_oom_killed"));
        QCOMPARE(badge.accessibleName(), QStringLiteral("Host OOM, killed"));
        badge.resize(badge.sizeHint());
        const QImage image = badge.grab().toImage();
        QVERIFY(pixelsOf(image, m_light.color(Role::FailTint)) > 100);
        QVERIFY(pixelsOf(image, m_light.color(Role::Fail)) > 5);
        const QSize small = badge.sizeHint();
        badge.setLarge(true);
        QVERIFY(badge.sizeHint().width() > small.width() && badge.sizeHint().height() > small.height());
    }

    void delegatesPaintTheirCells()
    {
        QTableView table;
        const auto model = runsModel();
        table.setModel(model.get());
        table.setItemDelegateForColumn(1, new SparklineDelegate(m_light, {Values, State, Key}, &table));
        table.setItemDelegateForColumn(2, new BadgeDelegate(m_light, State, &table));
        table.resize(420, 480);
        table.resizeColumnsToContents();
        table.show();
        const QImage image = table.viewport()->grab().toImage();
        QVERIFY(pixelsOf(image, m_light.color(Role::OkTint)) > 100);
        QVERIFY(pixelsOf(image, m_light.color(Role::InfoTint)) > 100);
        const QRect curve = table.visualRect(model->index(1, 1));
        QVERIFY(pixelsOf(image.copy(curve), m_light.color(Role::Base)) < curve.width() * curve.height());
        shots::keep(QStringLiteral("widgets-table"), table);
    }

    void aSparklineEndsWithItsOutcome()
    {
        const auto draw = [this](const QString& state) {
            QImage image(64, 24, QImage::Format_RGB32);
            image.fill(Qt::white);
            QPainter painter(&image);
            paintSparkline(painter, image.rect(), rising(1, 5), state, m_light.theme());
            painter.end();
            return image;
        };
        QVERIFY(draw(QStringLiteral("ok")) != draw(QStringLiteral("hang")));
        QVERIFY(draw(QStringLiteral("unknown")) != draw(QStringLiteral("hang")));
        QVERIFY(draw({}) != draw(QStringLiteral("ok")));
        QVERIFY(pixelsOf(draw(QStringLiteral("hang")), m_light.color(Role::Fail)) > 0);
    }

    void oddSparklinesAreNoTrouble()
    {
        QImage image(64, 24, QImage::Format_RGB32);
        QPainter painter(&image);
        const float nan = std::numeric_limits<float>::quiet_NaN();
        for (const QVector<float>& values : {QVector<float>(), {1}, {nan}, {nan, 1, nan}, {0, 0}, {-1, -2},
                 {std::numeric_limits<float>::infinity(), 1}})
            paintSparkline(painter, image.rect(), values, QStringLiteral("ok"), m_light.theme());
        paintSparkline(painter, QRectF(0, 0, 3, 3), {1, 2}, {}, m_light.theme());
        QCOMPARE(sparklineWords(gib(117), 55, QStringLiteral("host_oom_killed")),
            QStringLiteral("rises to 117 GiB in 55.0 s, host oom, killed"));
    }

    void figuresAreReadable()
    {
        QCOMPARE(figures::size(gib(94.7)), QStringLiteral("94.7 GiB"));
        QCOMPARE(figures::size(std::optional<std::uint64_t>()), QStringLiteral("–"));
        QCOMPARE(figures::gib(gib(0.842)), QStringLiteral("0.842"));
        QCOMPARE(figures::threeDigits(-0.02), QStringLiteral("−0.020"));
        QCOMPARE(figures::threeDigits(qQNaN()), QStringLiteral("–"));
        QCOMPARE(figures::sizeRange(gib(131), gib(146)), QStringLiteral("131–146 GiB"));
        QCOMPARE(figures::sizeRange(gib(1), gib(1)), QStringLiteral("1.00 GiB"));
        QCOMPARE(figures::seconds(742), QStringLiteral("12 min 22 s"));
        QCOMPARE(figures::seconds(qInf()), QStringLiteral("–"));
        QCOMPARE(figures::count(2034), QStringLiteral("2,034"));
        QCOMPARE(figures::percent(0.734), QStringLiteral("73 %"));
    }

    void figuresFollowTheLocale()
    {
        QLocale::setDefault(QLocale(QLocale::German, QLocale::Germany));
        QCOMPARE(figures::size(gib(94.7)), QStringLiteral("94,7 GiB"));
        QCOMPARE(figures::count(2034), QStringLiteral("2.034"));
        QLocale::setDefault(QLocale::c());
    }

    void runNumbersBecomeLinks()
    {
        const QColor color(Qt::blue);
        const auto links = [&](const char* words) {
            return withRunLinks(QString::fromUtf8(words), color).count(QStringLiteral("href=\"run:"));
        };
        QCOMPARE(links("Worked in run 23 on this machine"), 1);
        QCOMPARE(links("runs 11–19 then failed"), 2);
        QCOMPARE(links("Runs 7, 8 and 9: killed"), 3);
        QCOMPARE(links("trunk 7, running 8, 9 runs"), 0);
        QCOMPARE(links("run 7, 55.0 s later"), 1);
        QVERIFY(withRunLinks(QStringLiteral("<b>run 7</b> & more"), color)
                    .startsWith(QStringLiteral("&lt;b&gt;run <a href=\"run:7\"")));
    }

    void aLinkOpensItsRun()
    {
        LinkLabel label(m_light, QStringLiteral("Worked in run 23"));
        QSignalSpy asked(&label, &LinkLabel::runRequested);
        Q_EMIT label.linkActivated(QStringLiteral("run:23"));
        QCOMPARE(asked.count(), 1);
        QCOMPARE(asked.first().first().toLongLong(), 23);
        QCOMPARE(label.focusPolicy(), Qt::TabFocus);
        label.setWords(QStringLiteral("no number"));
        QCOMPARE(label.focusPolicy(), Qt::NoFocus);
        QCOMPARE(label.accessibleName(), QStringLiteral("no number"));
    }

    void aChipIsRemovedByKeyAndCross()
    {
        Chip chip(m_light, QStringLiteral("Machine: Thor"));
        chip.setCheckable(true);
        chip.setRemovable(true);
        chip.resize(chip.sizeHint());
        chip.show();
        QSignalSpy removed(&chip, &Chip::removeRequested);
        QTest::keyClick(&chip, Qt::Key_Delete);
        QCOMPARE(removed.count(), 1);
        QTest::mouseClick(&chip, Qt::LeftButton, {}, QPoint(chip.width() - 12, chip.height() / 2));
        QCOMPARE(removed.count(), 2);
        QVERIFY(!chip.isChecked());
        QTest::mouseClick(&chip, Qt::LeftButton, {}, QPoint(15, chip.height() / 2));
        QCOMPARE(removed.count(), 2);
        QVERIFY(chip.isChecked());
    }

    void segmentsAreProportional()
    {
        SegmentBar bar(m_light);
        bar.setLegendVisible(false);
        bar.setSegments({{QStringLiteral("Experts"), gib(3), Role::Resident},
            {QStringLiteral("Nothing"), 0, Role::Swap}, {QStringLiteral("Talker"), gib(1), Role::Gpu}});
        bar.resize(402, 20);
        const QImage image = bar.grab().toImage();
        const int experts = pixelsOf(image, m_light.color(Role::Resident));
        const int talker = pixelsOf(image, m_light.color(Role::Gpu));
        QVERIFY2(
            std::abs(experts - 3 * talker) < 20 * 20, qPrintable(QStringLiteral("%1 %2").arg(experts).arg(talker)));
        QCOMPARE(pixelsOf(image, m_light.color(Role::Swap)), 0);
        QCOMPARE(bar.accessibleDescription(), QStringLiteral("Experts, 3.00 GiB; Talker, 1.00 GiB"));
        bar.setSegments({});
        QVERIFY(!bar.grab().isNull());
    }

    void aNeedAboveThePoolIsRed()
    {
        FitBar bar(m_light);
        bar.resize(200, 16);
        bar.setValues({0, gib(61), gib(61), gib(122), {}});
        const QColor fits = bar.grab().toImage().pixelColor(10, 8);
        bar.setValues({0, gib(131), gib(146), gib(122), {}});
        const QColor over = bar.grab().toImage().pixelColor(10, 8);
        QVERIFY(fits.blue() > fits.red());
        QVERIFY(over.red() > over.blue());
        QCOMPARE(bar.accessibleName(), QStringLiteral("Needs 131–146 GiB of 122 GiB"));
        bar.setValues({});
        QVERIFY(!bar.grab().isNull());
    }

    void theMeterSpeaks()
    {
        MemoryMeter meter(m_light);
        meter.setValues(gib(100), gib(122), gib(118));
        QCOMPARE(meter.accessibleName(), QStringLiteral("Memory used, 100 of 122 GiB, guard at 118"));
        meter.resize(150, 14);
        QVERIFY(pixelsOf(meter.grab().toImage(), m_light.color(Role::Fail)) >= 14);
        meter.setValues(gib(100), 0);
        QVERIFY(!meter.grab().isNull());
    }

    void anEmptyStateOffersWhatToDo()
    {
        EmptyState state(m_light);
        state.setWords(QStringLiteral("zoo"), QStringLiteral("No checkpoints yet"),
            QStringLiteral("Add a folder that holds models."));
        state.setPrimary(QStringLiteral("Add folder…"), QStringLiteral("folderplus"));
        state.show();
        QSignalSpy primary(&state, &EmptyState::primaryRequested);
        int visible = 0;
        for (auto* button : state.findChildren<QPushButton*>())
            if (button->isVisible()) {
                ++visible;
                button->click();
            }
        QCOMPARE(visible, 1);
        QCOMPARE(primary.count(), 1);
        QCOMPARE(state.accessibleName(), QStringLiteral("No checkpoints yet"));
    }

    void iconButtonsHaveNames()
    {
        IconButton button(m_light, QStringLiteral("export"), QStringLiteral("Export chart"));
        QCOMPARE(button.accessibleName(), QStringLiteral("Export chart"));
        QVERIFY(!button.icon().isNull());
    }

    void columnsAreAsWideAsHeaderAndSample_data()
    {
        QTest::addColumn<bool>("sorting");
        QTest::newRow("sorted by a click") << true;
        QTest::newRow("in one order") << false;
    }
    /// What is painted at the fitted width is what is painted with room to spare.
    void columnsAreAsWideAsHeaderAndSample()
    {
        QFETCH(bool, sorting);
        ThemeHolder holder(Theme::light());
        shots::dress(holder);
        const QString sample = QStringLiteral("25 min 48 s");
        QStandardItemModel model(1, 3);
        model.setHorizontalHeaderLabels(
            {QStringLiteral("Peak GiB"), QStringLiteral("Duration"), QStringLiteral("Outcome")});
        model.setItem(0, 0, new QStandardItem(QStringLiteral("0.842")));
        model.setItem(0, 1, new QStandardItem(sample));
        model.setItem(0, 2, new QStandardItem);
        QTableView table;
        if (sorting)
            table.setHorizontalHeader(new SortHeader(&table));
        table.setModel(&model);
        table.setShowGrid(false);
        table.horizontalHeader()->setHighlightSections(false);
        table.horizontalHeader()->setSortIndicatorShown(sorting);
        fitColumns(*table.horizontalHeader(), {{QStringLiteral("0.842")}, {sample}, {}});
        table.resize(700, 120);
        table.show();
        QVERIFY(QTest::qWaitForWindowExposed(&table));
        for (const Qt::Alignment side : {Qt::AlignLeft, Qt::AlignRight})
            for (int column = 0; column < 2; ++column) {
                model.setHeaderData(
                    column, Qt::Horizontal, QVariant::fromValue(side | Qt::AlignVCenter), Qt::TextAlignmentRole);
                table.horizontalHeader()->setSortIndicator(column, Qt::DescendingOrder);
                const int fitted = table.columnWidth(column);
                const auto ink = [&] {
                    const QRect head(table.horizontalHeader()->sectionViewportPosition(column), 0,
                        table.columnWidth(column) - 1, table.horizontalHeader()->height() - 2);
                    const QRect cell = table.visualRect(model.index(0, column));
                    return inkIn(table.horizontalHeader()->viewport()->grab(head).toImage())
                        + inkIn(table.viewport()->grab(cell).toImage());
                };
                const int tight = ink();
                table.setColumnWidth(column, fitted + 80);
                QCOMPARE(tight, ink());
                table.setColumnWidth(column, fitted / 2);
                QVERIFY2(ink() < tight, "a cut would be seen");
                table.setColumnWidth(column, fitted);
            }
    }

    void titlesOfNumbersStandAboveTheirNumbers_data()
    {
        QTest::addColumn<bool>("sorting");
        QTest::newRow("sorted by a click") << true;
        QTest::newRow("in one order") << false;
    }
    void titlesOfNumbersStandAboveTheirNumbers()
    {
        QFETCH(bool, sorting);
        ThemeHolder holder(Theme::light());
        shots::dress(holder);
        QStandardItemModel model(1, 2);
        model.setItem(0, 0, new QStandardItem(QStringLiteral("HHH")));
        QTableView table;
        if (sorting)
            table.setHorizontalHeader(new SortHeader(&table));
        table.setModel(&model);
        table.setShowGrid(false);
        table.setFocusPolicy(Qt::NoFocus);
        QHeaderView& header = *table.horizontalHeader();
        header.setHighlightSections(false);
        header.setSortIndicatorShown(sorting);
        header.setSortIndicator(1, Qt::DescendingOrder);
        table.resize(400, 120);
        table.show();
        QVERIFY(QTest::qWaitForWindowExposed(&table));
        model.setHeaderData(0, Qt::Horizontal, QStringLiteral("HHH"));
        for (const Qt::Alignment side : {Qt::AlignLeft, Qt::AlignRight}) {
            const QVariant aligned = QVariant::fromValue(side | Qt::AlignVCenter);
            model.setHeaderData(0, Qt::Horizontal, aligned, Qt::TextAlignmentRole);
            model.item(0, 0)->setData(aligned, Qt::TextAlignmentRole);
            const QRect head(0, 0, table.columnWidth(0), header.height() - 2);
            const auto [titleFrom, titleTo] = inkSpan(header.viewport()->grab(head).toImage());
            const auto [cellFrom, cellTo]
                = inkSpan(table.viewport()->grab(table.visualRect(model.index(0, 0))).toImage());
            const int apart = side == Qt::AlignLeft ? titleFrom - cellFrom : titleTo - cellTo;
            QVERIFY2(std::abs(apart) <= 1, qPrintable(QString::number(apart)));
        }
    }

    void theLastColumnTakesWhatIsLeftAndNeverLessThanItNeeds()
    {
        QStandardItemModel model(1, 3);
        model.setHorizontalHeaderLabels({QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("c")});
        QTableView table;
        table.setModel(&model);
        QHeaderView& header = *table.horizontalHeader();
        const ColumnSample wide{QStringLiteral("Structure mismatch"), ColumnSample::kBadge};
        fitColumns(header, {{}, {}, wide});
        table.resize(800, 120);
        table.show();
        QVERIFY(QTest::qWaitForWindowExposed(&table));
        QCOMPARE(header.length(), header.viewport()->width());
        table.resize(120, 120);
        QCOMPARE(header.sectionSize(2), columnWidth(header, 2, wide));
        header.resizeSection(0, 333);
        QTableView again;
        again.setModel(&model);
        fitColumns(*again.horizontalHeader(), {{}, {}, wide});
        QVERIFY(again.horizontalHeader()->restoreState(header.saveState()));
        QCOMPARE(again.columnWidth(0), 333);
    }

    void aLabelEndsInAnEllipsisWhereTheRoomEnds()
    {
        ElidedLabel label(QStringLiteral("started 21 Nov 14:41, predicted 1.30 GiB"));
        label.resize(label.sizeHint());
        QVERIFY(!label.isElided());
        label.resize(60, label.height());
        QVERIFY(label.isElided());
        QVERIFY(label.minimumSizeHint().width() < 60);
        QCOMPARE(label.text(), QStringLiteral("started 21 Nov 14:41, predicted 1.30 GiB"));
    }

    void failureModesAreReadInWords()
    {
        QCOMPARE(inWords(QStringLiteral("structure_mismatch: a tensor is missing")),
            QStringLiteral("Structure mismatch: a tensor is missing"));
        QCOMPARE(inWords(QStringLiteral("End with structure_mismatch where it differs")),
            QStringLiteral("End with “Structure mismatch” where it differs"));
        QCOMPARE(inWords(QStringLiteral("exit code 1")), QStringLiteral("Exit code 1"));
        QCOMPARE(inWords(QStringLiteral("model.safetensors is absent")), QStringLiteral("model.safetensors is absent"));
        QCOMPARE(inWords(QStringLiteral("packed_weights=keep")), QStringLiteral("packed_weights=keep"));
        QCOMPARE(inWords(QString()), QString());
        QCOMPARE(phaseWords("reading"), QStringLiteral("Reading"));
        QCOMPARE(phaseWords(""), QString());
    }

    void gallery_data() { shots::addThemes(); }
    void gallery()
    {
        QFETCH(bool, dark);
        ThemeHolder holder(dark ? Theme::dark() : Theme::light());
        shots::dress(holder);
        QWidget page;
        page.setObjectName(QStringLiteral("page"));
        auto* column = new QVBoxLayout(&page);
        column->setContentsMargins(0, 0, 0, 12);
        auto* header = new PageHeader(QStringLiteral("Zoo"));
        header->setRemark(QStringLiteral("12 checkpoints in 3 folders, scanned 2 min ago in 0.31 s"));
        header->addAction(new ActionButton(holder, QStringLiteral("Add folder…"), QStringLiteral("folderplus")));
        header->addAction(
            new ActionButton(holder, QStringLiteral("Stop"), QStringLiteral("stop"), QStringLiteral("danger")));
        header->addAction(
            new ActionButton(holder, QStringLiteral("New trial"), QStringLiteral("trials"), QStringLiteral("primary")));
        column->addWidget(header);
        auto* columns = new QHBoxLayout;
        columns->setContentsMargins(12, 0, 12, 0);
        column->addLayout(columns);
        columns->addWidget(makeLeft(holder), 1);
        columns->addWidget(makeRight(holder), 1);
        page.resize(1000, 620);
        page.show();
        shots::keep(QStringLiteral("widgets") + (dark ? QStringLiteral("-dark") : QString()), page);
        QVERIFY(pixelsOf(page.grab().toImage(), holder.color(Role::Base)) > 1000);
        shots::dress(m_light);
    }

private:
    QWidget* makeLeft(const ThemeHolder& holder)
    {
        auto* left = new QWidget;
        auto* column = new QVBoxLayout(left);
        column->setContentsMargins(0, 0, 0, 0);
        auto* chips = new QHBoxLayout;
        auto* all = new Chip(holder, QStringLiteral("All 12"));
        all->setCheckable(true);
        all->setChecked(true);
        auto* attention = new Chip(holder, QStringLiteral("Needs attention 4"));
        attention->setSign(QStringLiteral("warn"), Role::Warn);
        auto* machine = new Chip(holder, QStringLiteral("Machine: Thor"));
        machine->setCheckable(true);
        machine->setChecked(true);
        machine->setRemovable(true);
        for (Chip* chip : {all, attention, machine})
            chips->addWidget(chip);
        chips->addStretch();
        column->addLayout(chips);
        auto* table = new QTableView;
        m_models.push_back(runsModel());
        table->setModel(m_models.back().get());
        table->setItemDelegateForColumn(1, new SparklineDelegate(holder, {Values, State, Key}, table));
        table->setItemDelegateForColumn(2, new BadgeDelegate(holder, State, table));
        table->setShowGrid(false);
        table->verticalHeader()->hide();
        table->verticalHeader()->setDefaultSectionSize(24);
        table->horizontalHeader()->setStretchLastSection(true);
        table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
        table->setSelectionBehavior(QAbstractItemView::SelectRows);
        table->resizeColumnsToContents();
        table->selectRow(4);
        column->addWidget(table, 1);
        return left;
    }

    QWidget* makeRight(const ThemeHolder& holder)
    {
        auto* panel = new Panel(QStringLiteral("Components"));
        panel->setRemark(QStringLiteral("65.7 GiB"));
        auto* segments = new SegmentBar(holder);
        segments->setSegments({{QStringLiteral("Experts, thinker"), gib(54), segmentRole(0)},
            {QStringLiteral("Thinker, rest"), gib(2.87), segmentRole(1)},
            {QStringLiteral("Audio encoder"), gib(1.21), segmentRole(2)},
            {QStringLiteral("Vision encoder"), gib(1), segmentRole(3)},
            {QStringLiteral("Talker"), gib(6.19), segmentRole(4)},
            {QStringLiteral("Code2wav"), gib(0.402), segmentRole(5)}});
        panel->body()->addWidget(segments);
        panel->body()->addWidget(makeHairline());
        for (const auto& [low, high] : {std::pair{61.4, 61.4}, std::pair{131.0, 146.0}, std::pair{27.0, 31.0}}) {
            auto* bar = new FitBar(holder);
            bar->setValues({gib(5.3), gib(low), gib(high), gib(122), {}});
            panel->body()->addWidget(bar);
        }
        auto* tall = new FitBar(holder);
        tall->setTall(true);
        tall->setValues({gib(5.3), gib(60), gib(65), gib(122), gib(118)});
        panel->body()->addWidget(tall);
        auto* badges = new QHBoxLayout;
        for (const char* state : {"complete", "incomplete", "pointer", "corrupt"}) {
            auto* badge = new ModeBadge(holder);
            badge->setState(QString::fromLatin1(state));
            badges->addWidget(badge);
        }
        badges->addStretch();
        panel->body()->addLayout(badges);
        auto* meter = new MemoryMeter(holder);
        meter->setValues(gib(100), gib(122), gib(118));
        panel->body()->addWidget(meter);
        panel->body()->addWidget(new LinkLabel(holder, QStringLiteral("Worked in runs 23, 24 on this machine")));
        auto* empty = new EmptyState(holder);
        empty->setWords(QStringLiteral("zoo"), QStringLiteral("No checkpoints yet"),
            QStringLiteral(
                "Add a folder that holds models, or drop one anywhere on this window. Nothing is downloaded."));
        empty->setPrimary(QStringLiteral("Add folder…"), QStringLiteral("folderplus"));
        empty->setOther(QStringLiteral("Use the Hugging Face cache"));
        empty->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_O));
        panel->body()->addWidget(empty, 1);
        return panel;
    }

    std::vector<std::unique_ptr<QStandardItemModel>> m_models;
};

QTEST_MAIN(tst_Widgets)
#include "tst_Widgets.moc"
