#pragma once

#include "gui/models/LiveForecast.h"

#include <QString>

namespace loadlab {

/// A large figure and the small line below it. A figure that there is none of is an en dash; the remark then says why.
struct Readout {
    QString figure;
    QString remark;
};

/// `nowS`: on the run's axis, for "in 18.3 s".
Readout usedReadout(const LiveOutlook& look);
Readout growthReadout(const LiveOutlook& look);
Readout limitReadout(const LiveOutlook& look, double nowS);
Readout guardReadout(const LiveOutlook& look, double nowS);
/// "of projected 137 GiB"; empty while that is not known.
QString needWords(const LiveOutlook& look);

/// The limit's line: "Cap 2.00 GiB", "Limit 11.3 GiB, all that is free".
QString limitWords(const LiveOutlook& look);
/// What comes first if it goes on like this: "stopped by guard in 15 s", "levels off at 6.20 GiB, below the limit";
/// empty when nothing is foretold.
QString whatComes(const LiveOutlook& look, double nowS);
/// For the place of the verdict.
QString noVerdictYet(const LiveOutlook& look, double nowS);
/// "Last word 24.7 s ago; growing by 1.20 GiB/s without reading".
QString silenceWords(const LiveOutlook& look, double nowS);

/// "4.00 GiB", "5 %".
QString marginWords(const GuardMargin& margin);

} // namespace loadlab
