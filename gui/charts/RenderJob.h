#pragma once

#include <QString>

namespace loadlab {

/// `loadlab-gui --render JOB`: draws one chart without a window. `loadlab export` starts it, so that the command line
/// links no QtGui. JOB is a JSON file:
///
///     {"out": "/path/run7.svg",            where to; required
///      "format": "svg",                    "png" | "svg"; default: by the ending of "out"
///      "scale": 2,                         PNG only, 0.5 … 8; default 1
///      "width": 960, "height": 620,        of the picture in pixels at scale 1; 320 … 8000
///      "stacked": true, "log": false, "lanes": true,
///      "run": { … },                       JSON of a finished run (docs/CLI.md); may be {}
///      "machine": {"name": "…", "memory_bytes": 131000000000},   optional: name in the foot, memory as limit line
///      "curve": {"columns": […], "rows": [[…]]}}                  as `loadlab samples --json` prints it; required
///
/// Needs a QGuiApplication of any platform ("offscreen" where there is no display): the caller makes a QApplication.
/// Exit code 0: written. 2: JOB is not there or not right. 3: it could not be read or the picture not be written. Both
/// with one line on stderr that names the job file and the reason.
int renderJob(const QString& jobFile);

} // namespace loadlab
