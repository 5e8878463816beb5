#pragma once

#include "core/curve/Sample.h"
#include "core/trial/RunResult.h"
#include "gui/charts/ChartDocument.h"
#include "gui/widgets/ThemeHolder.h"

#include <QImage>
#include <QString>
#include <QWidget>

#include <functional>
#include <memory>

/// Made-up runs and pictures for the tests of the window.
namespace shots {

/// Saves the picture as $LOADLAB_SHOTS/NAME.png when that folder is named; looks are judged by eye.
void keep(const QString& name, const QImage& image);
void keep(const QString& name, QWidget& widget);

/// The rows "light" and "dark" of a gallery(), column `dark`.
void addThemes();
/// The whole application in the theme's colours.
void dress(const loadlab::ThemeHolder& holder);

/// A sample with every tree column at zero.
loadlab::Sample sampleAt(double seconds);
/// Samples at `hz` for `seconds`, each filled by `fill(seconds, sample)`.
std::shared_ptr<const loadlab::Curve> curve(
    double seconds, double hz, const std::function<void(double, loadlab::Sample&)>& fill);

/// A load that rises to 117 GiB in 55 s and was killed (a big model on a machine with 122 GiB).
loadlab::RunResult killedRun();
std::shared_ptr<const loadlab::Curve> killedCurve();
/// A 1 GiB checkpoint converted to float32 with cache, CPU, disk and pressure lanes: loaded.
loadlab::RunResult loadedRun();
std::shared_ptr<const loadlab::Curve> loadedCurve();

inline constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

} // namespace shots
