#pragma once

#include <QString>
#include <QVector>

namespace loadlab {

/// 1, 2 or 5 × 10ⁿ: the smallest such step with at most `most` steps in `span`. 1 when the span is not positive.
double niceStep(double span, int most);

/// Marks of an axis: where, and the words there.
struct Ticks {
    struct Tick {
        double at = 0; ///< Seconds or bytes.
        QString words;
    };
    QVector<Tick> ticks;
    QString unit; ///< "GiB"; of time it stands after the last figure instead.
    double step = 0; ///< In seconds or bytes; 0 on a log scale.
};

/// Seconds up to ten minutes, then minutes, then hours; the last tick carries the unit.
Ticks timeTicks(double fromS, double toS, int most);
/// GiB from 0.1 GiB, MiB below (KiB, B for the smallest); steps of 1, 2, 5 × 10ⁿ of that unit.
Ticks sizeTicks(double topBytes, int most);
/// Powers of ten of the unit between floor and top; all in one unit.
Ticks logSizeTicks(double floorBytes, double topBytes);
/// Plain numbers for lanes: 0 and the top.
QString plainFigure(double value);

inline constexpr const char* kByteRate = "GiB/s";
/// What a lane is drawn and told in: one unit for its axis, its label and its figures.
struct LaneScale {
    double top = 1; ///< In the lane's own unit: 1, 2 or 5 × 10ⁿ of the unit shown.
    double shownPerOwn = 1;
    QString unit; ///< That is shown.

    [[nodiscard]] QString topFigure() const;
    [[nodiscard]] QString words(double value) const; ///< Of a value in the lane's own unit: "7.39 MiB/s".
};
/// For a lane up to `peak`. GiB/s below 0.1 are counted in MiB/s, and their scale ends at 10 of them at least.
LaneScale laneScale(double peak, const QString& unit);

/// The unit that sizeTicks() takes for a scale up to `topBytes`: its bytes and its name.
struct SizeUnit {
    double bytes = 1;
    QString name;
};
SizeUnit sizeUnitFor(double topBytes);
/// The figure of `bytes` in that unit, three significant digits, locale's sign.
QString inUnit(double bytes, const SizeUnit& unit);

} // namespace loadlab
