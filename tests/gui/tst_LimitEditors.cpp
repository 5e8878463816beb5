#include "core/LimitWords.h"
#include "gui/pages/LimitEditors.h"

#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>
#include <nlohmann/json.hpp>

using namespace loadlab;

class TestLimitEditors : public QObject {
    Q_OBJECT

    QWidget m_form;
    LimitEditors m_editors{&m_form};

    QLineEdit& value(const char* name) { return *m_form.findChild<QLineEdit*>(QString::fromLatin1(name)); }
    QCheckBox& box(const char* name)
    {
        return *m_form.findChild<QCheckBox*>(QString::fromLatin1(name) + QStringLiteral(" on"));
    }

private Q_SLOTS:
    void init() { m_editors.setLimits({}); }

    void withoutAChoiceNothingIsLimited()
    {
        QCOMPARE(toJson(m_editors.limits().value()).dump(), toJson(Limits()).dump());
        QVERIFY(!value("Guard").isEnabled());
    }

    void everyLimitComesBackAsItWent()
    {
        Limits limits;
        limits.guard = GuardMargin{std::nullopt, 2.5};
        limits.capMemoryBytes = (std::uint64_t{3} << 30) + 1;
        limits.capSwapBytes = 0;
        limits.timeout = std::chrono::milliseconds(90'500);
        limits.stall = std::chrono::minutes(2);
        limits.sampleHz = 2.5;
        m_editors.setLimits(limits);
        QCOMPARE(toJson(m_editors.limits().value()).dump(), toJson(limits).dump());
        QCOMPARE(value("Guard").text(), QStringLiteral("2.5%"));
        QCOMPARE(m_form.findChild<QDoubleSpinBox*>()->text(), QStringLiteral("2.5 Hz"));
        limits.timeout = std::chrono::milliseconds(1'234'567'891);
        m_editors.setLimits(limits);
        QCOMPARE(value("Time limit").text(), QStringLiteral("1234567.891s"));
        QCOMPARE(toJson(m_editors.limits().value()).dump(), toJson(limits).dump());
        limits.guard = GuardMargin{std::uint64_t{4} << 30, 0};
        m_editors.setLimits(limits);
        QCOMPARE(value("Guard").text(), QStringLiteral("4GiB"));
        QCOMPARE(toJson(m_editors.limits().value()).dump(), toJson(limits).dump());
    }

    void whatCannotBeIsToldWithItsField_data()
    {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QString>("text");
        QTest::newRow("guard of nothing") << QByteArray("Guard") << QStringLiteral("0");
        QTest::newRow("guard of everything") << QByteArray("Guard") << QStringLiteral("100%");
        QTest::newRow("cap of nothing") << QByteArray("Memory cap") << QStringLiteral("0");
        QTest::newRow("a word") << QByteArray("Swap cap") << QStringLiteral("some");
        QTest::newRow("no time") << QByteArray("Time limit") << QStringLiteral("0s");
        QTest::newRow("no number") << QByteArray("Stall limit") << QStringLiteral("soon");
    }
    void whatCannotBeIsToldWithItsField()
    {
        QFETCH(QByteArray, field);
        QFETCH(QString, text);
        QSignalSpy changed(&m_editors, &LimitEditors::changed);
        box(field.constData()).setChecked(true);
        value(field.constData()).setText(text);
        QVERIFY(changed.size() >= 1);
        const Result<Limits> limits = m_editors.limits();
        QVERIFY(!limits);
        QVERIFY2(QByteArray::fromStdString(limits.error().message).startsWith(field), limits.error().message.c_str());
        QVERIFY(value(field.constData()).property("bad").toBool());
        box(field.constData()).setChecked(false);
        QVERIFY2(m_editors.limits(), "what is switched off is not read");
        QVERIFY(!value(field.constData()).property("bad").toBool());
    }

    void whatIsWrongIsSaidAsOnTheCommandLine()
    {
        box("Memory cap").setChecked(true);
        value("Memory cap").setText(QStringLiteral("0"));
        QVERIFY(m_editors.limits().error().message.ends_with(parseCap("0").error().message));
        box("Memory cap").setChecked(false);
        box("Stall limit").setChecked(true);
        value("Stall limit").setText(QStringLiteral("0s"));
        QVERIFY(m_editors.limits().error().message.ends_with(parseTimeLimit("0s").error().message));
    }

    void everyFieldHasAName()
    {
        for (const char* name : {"Guard", "Memory cap", "Swap cap", "Time limit", "Stall limit"})
            QCOMPARE(value(name).accessibleName(), QString::fromLatin1(name));
    }
};

QTEST_MAIN(TestLimitEditors)
#include "tst_LimitEditors.moc"
