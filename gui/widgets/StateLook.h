#pragma once

#include "gui/widgets/Theme.h"

#include <QStringView>

namespace loadlab {

/// How a state is shown everywhere: icon + word, then colour.
struct StateLook {
    QString icon; ///< Name in resources/icons.
    QString words; ///< "Host OOM, killed"
    Role role = Role::Neutral; ///< Of icon and words; the ground is tintOf(role).
};

/// Of a wire name: a failure mode ("host_oom_killed"), a checkpoint's state ("complete", "pointer" …), a trial's state
/// ("baseline", "loading" …), a manifest's ("usable", "broken"). Empty: a run in progress ("Loading").
/// A word that nobody knows is shown as it is, with the sign for unknown.
StateLook lookOf(QStringView wireName);

/// What a run came to, for the mark at its curve's end: ○ running, ● loaded, × failed, □ unknown or given up.
enum class Outcome { Running, Loaded, Failed, Unknown };
/// Of a mode's wire name; empty: running.
Outcome outcomeOf(QStringView wireName);

} // namespace loadlab
