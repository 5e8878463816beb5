#include "core/FailureMode.h"
#include "gui/widgets/StateLook.h"
#include "gui/widgets/ThemeHolder.h"

#include <QApplication>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QStyle>
#include <QtTest>

using namespace loadlab;

namespace {

QString wire(FailureMode mode)
{
    return QString::fromUtf8(toWireName(mode).data(), static_cast<qsizetype>(toWireName(mode).size()));
}

} // namespace

class tst_Theme : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everythingCanBeRead_data()
    {
        QTest::addColumn<bool>("dark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }
    void everythingCanBeRead()
    {
        QFETCH(bool, dark);
        const Theme theme = dark ? Theme::dark() : Theme::light();
        const auto ratio = [&](Role top, Role ground) { return contrast(theme.color(top), theme.color(ground)); };
        for (const Role state : {Role::Ok, Role::Fail, Role::Warn, Role::Info, Role::Neutral}) {
            QVERIFY2(ratio(state, tintOf(state)) >= 4.5, qPrintable(QString::number(static_cast<int>(state))));
            QVERIFY(ratio(state, Role::Base) >= 4.5);
        }
        for (const Role ground : {Role::Base, Role::Alt, Role::Window, Role::Button, Role::Rail})
            QVERIFY2(ratio(Role::Text, ground) >= 7, qPrintable(QString::number(static_cast<int>(ground))));
        for (const Role ground : {Role::Base, Role::Alt, Role::Window, Role::Selection})
            QVERIFY2(ratio(Role::Muted, ground) >= 4.5, qPrintable(QString::number(static_cast<int>(ground))));
        QVERIFY(ratio(Role::Text, Role::Selection) >= 7);
        QVERIFY(ratio(Role::OnAccent, Role::Accent) >= 4.5);
        QVERIFY(ratio(Role::Accent, Role::Base) >= 4.5);
        for (const Role series : {Role::Resident, Role::Gpu, Role::Swap, Role::Series4, Role::Other, Role::Cache})
            QVERIFY2(ratio(series, Role::Base) >= 4.5, qPrintable(QString::number(static_cast<int>(series))));
        for (const Role ground : {Role::PhaseA, Role::PhaseB}) {
            QVERIFY(ratio(Role::Text, ground) >= 7);
            QVERIFY(ratio(Role::Muted, ground) >= 4.5);
        }
    }

    void aDesktopsColoursCountWhereTheyCanBeRead()
    {
        QPalette breeze;
        breeze.setColor(QPalette::Window, QColor(0xef, 0xf0, 0xf1));
        breeze.setColor(QPalette::Base, Qt::white);
        breeze.setColor(QPalette::AlternateBase, QColor(0xf7, 0xf7, 0xf7));
        breeze.setColor(QPalette::Text, QColor(0x23, 0x26, 0x29));
        breeze.setColor(QPalette::Highlight, QColor(0x3d, 0xae, 0xe9));
        breeze.setColor(QPalette::HighlightedText, Qt::white);
        const Theme theme = Theme::fromPalette(breeze);
        QVERIFY(!theme.isDark());
        QCOMPARE(theme.color(Role::Window), QColor(0xef, 0xf0, 0xf1));
        // White on that blue has 2.5: the accent stays ours.
        QCOMPARE(theme.color(Role::Accent), Theme::light().color(Role::Accent));
    }

    void aPaletteThatCannotBeReadIsNotTaken()
    {
        QPalette pale;
        pale.setColor(QPalette::Window, Qt::white);
        pale.setColor(QPalette::Base, Qt::white);
        pale.setColor(QPalette::Text, QColor(0x99, 0x99, 0x99));
        QCOMPARE(Theme::fromPalette(pale).color(Role::Text), Theme::light().color(Role::Text));
        QPalette dark;
        dark.setColor(QPalette::Window, QColor(0x31, 0x36, 0x3b));
        dark.setColor(QPalette::Base, QColor(0x23, 0x26, 0x29));
        dark.setColor(QPalette::Text, QColor(0xef, 0xf0, 0xf1));
        QVERIFY(Theme::fromPalette(dark).isDark());
    }

    void everyModeHasIconWordAndColour()
    {
        const Theme theme = Theme::light();
        for (std::size_t i = 0; i < kFailureModeCount; ++i) {
            const StateLook look = lookOf(wire(static_cast<FailureMode>(i)));
            QVERIFY2(!look.words.isEmpty() && look.words != wire(static_cast<FailureMode>(i)), qPrintable(look.words));
            QVERIFY2(!theme.icon(look.icon).isNull(), qPrintable(look.icon));
        }
        for (const char* state :
            {"", "loading", "complete", "incomplete", "pointer", "corrupt", "unsupported", "empty", "usable", "broken"})
            QVERIFY2(!theme.icon(lookOf(QString::fromLatin1(state)).icon).isNull(), state);
    }

    void onlyALoadedModelCountsAsLoaded()
    {
        QCOMPARE(outcomeOf(u""), Outcome::Running);
        QCOMPARE(outcomeOf(u"ok"), Outcome::Loaded);
        QCOMPARE(outcomeOf(u"loaded_but_wrong"), Outcome::Loaded);
        QCOMPARE(outcomeOf(u"incomplete_download"), Outcome::Failed);
        QCOMPARE(outcomeOf(u"guard_stopped"), Outcome::Failed);
        QCOMPARE(outcomeOf(u"unknown"), Outcome::Unknown);
        QCOMPARE(outcomeOf(u"cancelled"), Outcome::Unknown);
    }

    void aWordThatNobodyKnowsIsShownAsItIs()
    {
        QCOMPARE(lookOf(u"from_the_future").words, QStringLiteral("from_the_future"));
        QCOMPARE(lookOf(u"from_the_future").icon, QStringLiteral("unk"));
    }

    void iconsTakeTheColourOfTheirRole()
    {
        const Theme theme = Theme::light();
        for (const double ratio : {1.0, 2.0}) {
            const QPixmap pixmap = theme.pixmap(QStringLiteral("ok"), Role::Ok, 16, ratio);
            QCOMPARE(pixmap.size(), QSize(16, 16) * ratio);
            const QImage image = pixmap.toImage();
            bool found = false;
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x)
                    found = found || image.pixelColor(x, y) == theme.color(Role::Ok);
            QVERIFY(found);
        }
        QVERIFY(theme.icon(QStringLiteral("no-such-icon")).isNull());
        QVERIFY(theme.pixmap(QStringLiteral("no-such-icon"), Role::Ok, 16).isNull());
        const QImage disabled = theme.icon(QStringLiteral("ok"), Role::Ok).pixmap(16, QIcon::Disabled).toImage();
        const QImage enabled = theme.icon(QStringLiteral("ok"), Role::Ok).pixmap(16).toImage();
        QVERIFY(disabled != enabled);
    }

    void theSheetIsFilledIn()
    {
        for (const Theme& theme : {Theme::light(), Theme::dark()})
            for (const bool whole : {true, false}) {
                const QString sheet = theme.styleSheet(whole);
                QVERIFY(sheet.contains(QStringLiteral("QFrame#panel")));
                QVERIFY2(!sheet.contains(QStringLiteral("%(")),
                    qPrintable(sheet.mid(sheet.indexOf(QStringLiteral("%(")), 20)));
                QCOMPARE(sheet.contains(QStringLiteral("QComboBox")), whole);
                static const QRegularExpression file(QStringLiteral("url\\(([^)]+)\\)"));
                for (auto urls = file.globalMatch(sheet); urls.hasNext();) {
                    const QString name = urls.next().captured(1);
                    QVERIFY2(QFile::exists(name), qPrintable(name));
                }
            }
    }

    void aHolderDressesTheApplicationAndFollowsIt()
    {
        qApp->setPalette(QPalette());
        ThemeHolder holder(*qApp);
        QSignalSpy changed(&holder, &ThemeHolder::themeChanged);
        QVERIFY(!holder.theme().isDark());
        QVERIFY(qApp->styleSheet().contains(holder.color(Role::Rail).name()));
        holder.setScheme(ThemeHolder::Scheme::Dark);
        QCOMPARE(changed.count(), 1);
        QVERIFY(holder.theme().isDark());
        QCOMPARE(QApplication::palette().color(QPalette::Base), Theme::dark().color(Role::Base));
        holder.setScheme(ThemeHolder::Scheme::System);
        QCOMPARE(changed.count(), 2);
        QPalette platform = QApplication::palette();
        platform.setColor(QPalette::Window, QColor(0x31, 0x36, 0x3b));
        platform.setColor(QPalette::Base, QColor(0x23, 0x26, 0x29));
        platform.setColor(QPalette::Text, QColor(0xef, 0xf0, 0xf1));
        QApplication::setPalette(platform);
        QTRY_COMPARE(changed.count(), 3);
        QVERIFY(holder.theme().isDark());
        QCOMPARE(holder.color(Role::Base), QColor(0x23, 0x26, 0x29));
        qApp->setStyleSheet({});
        QApplication::setPalette(QPalette());
    }
};

QTEST_MAIN(tst_Theme)
#include "tst_Theme.moc"
