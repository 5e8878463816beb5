#include "core/telemetry/CountedOnce.h"

#include <QtTest>

using namespace loadlab;

/// In units of whatever: the arithmetic knows no pages.
class tst_CountedOnce : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatForksOwnIsEstimatedUntilSomebodyTells()
    {
        PrivateOnce counted;
        QCOMPARE(counted.count({300, 100}, 160, 60), 160U);
        QCOMPARE(counted.correct(130), 130U);
        QCOMPARE(counted.count({300, 100}, 160, 60), 130U);
    }

    void whatForksGrowByCountsInFull()
    {
        PrivateOnce counted;
        counted.count({300, 100}, 160, 60);
        counted.correct(130);
        QCOMPARE(counted.count({350, 120}, 210, 110), 180U);
    }

    void itIsNeverLessThanOneNorMoreThanAll()
    {
        PrivateOnce counted;
        counted.count({300, 100}, 160, 60);
        QCOMPARE(counted.correct(20), 100U);
        QCOMPARE(counted.correct(900), 300U);
    }

    void whatIsToldOfForksEndsWithThem()
    {
        PrivateOnce counted;
        counted.count({300, 100}, 160, 60);
        counted.correct(110); // 50 too many were taken for the forks' own.
        QCOMPARE(counted.count({150, 100}, 120, 20), 100U); // One is left, with less than that.
        QCOMPARE(counted.count({100, 100}, 100, 0), 100U);
        QCOMPARE(counted.count({250, 100}, 160, 60), 160U); // Others.
        counted.correct(240);
        QCOMPARE(counted.count({100, 100}, 100, 0), 100U);
        QCOMPARE(counted.count({250, 100}, 160, 60), 160U);
    }

    void aWordThatLagsDoesNotMoveWhatItMayMean()
    {
        PrivateOnce counted;
        counted.count({300, 100}, 160, 60);
        QCOMPARE(counted.correct(150, 16), 160U);
        QCOMPARE(counted.correct(130, 16), 130U);
    }

    void anAnswerSpeaksOfTheMomentOfTheQuestion()
    {
        PrivateOnce counted;
        counted.count({300, 100}, 160, 60);
        counted.ask();
        counted.count({300, 100}, 220, 120); // A fork writes to 60 of what it shares.
        QCOMPARE(counted.correctTwice(150), 210U); // It was 150 then.
        QCOMPARE(counted.unsure(), 60U);
    }

    void whatIsInDoubtIsNotCountedAndAskedAgain()
    {
        PrivateOnce counted;
        counted.count({300, 100}, 160, 60);
        counted.ask();
        QCOMPARE(counted.correctTwice(150, 20), 130U);
        QCOMPARE(counted.unsure(), 20U);
        counted.ask();
        QCOMPARE(counted.correctTwice(150), 150U);
        QCOMPARE(counted.unsure(), 0U);
    }

    void onlyWhatIsSharedMakesUnsure()
    {
        PrivateOnce counted;
        counted.count({300, 100}, 160, 60);
        QCOMPARE(counted.unsure(), 140U);
        counted.correct(130);
        QCOMPARE(counted.unsure(), 0U);
        counted.count({400, 200}, 260, 160); // A fork has grown.
        QCOMPARE(counted.unsure(), 0U);
        counted.count({500, 200}, 260, 160); // One more.
        QCOMPARE(counted.unsure(), 100U);
        SharedOnce shared;
        shared.count({400, 100});
        QCOMPARE(shared.unsure(), 300U);
        shared.correct(200, 400);
        QCOMPARE(shared.unsure(), 0U);
        shared.count({450, 150});
        QCOMPARE(shared.unsure(), 0U);
        shared.count({500, 150});
        QCOMPARE(shared.unsure(), 50U);
    }

    void sharedMemoryIsTheSameUntilSomebodyTells()
    {
        SharedOnce counted;
        QCOMPARE(counted.count({400, 100}), 100U);
        QCOMPARE(counted.correct(250, 400), 250U);
        QCOMPARE(counted.count({500, 100}), 250U); // Others touched it.
        QCOMPARE(counted.count({560, 160}), 310U); // The largest went on.
        QCOMPARE(counted.count({200, 100}), 125U); // Half of it is gone.
        QCOMPARE(counted.count({0, 0}), 0U);
    }

    void sharedMemoryOfAnOlderReadingIsScaled()
    {
        SharedOnce counted;
        counted.count({800, 200});
        QCOMPARE(counted.correct(100, 400), 200U); // The largest alone holds more.
        QCOMPARE(counted.correct(300, 400), 300U);
    }
};

QTEST_GUILESS_MAIN(tst_CountedOnce)
#include "tst_CountedOnce.moc"
