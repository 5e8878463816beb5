#pragma once

#include "core/FailureMode.h"
#include "gui/widgets/Theme.h"

#include <QStringView>

#include <string_view>

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
/// What lookOf() takes of a verdict's mode: "ended" where a watched program ended well, for it loads nothing.
QString shownMode(const QString& modeWireName, bool watched);
QString shownMode(FailureMode mode, bool watched);

/// A sentence of the lab's other parts as a person reads it: begins with a capital, and failure modes stand in words
/// ("structure_mismatch: …" → "Structure mismatch: …"). Names in it that begin a sentence stay ("model.safetensors").
QString inWords(const QString& sentence);
/// A phase's name as it is shown everywhere: "reading" → "Reading".
QString phaseWords(std::string_view name);

/// What a run came to, for the mark at its curve's end: ○ running, ● loaded, × failed, □ unknown or given up.
enum class Outcome { Running, Loaded, Failed, Unknown };
/// Of a mode's wire name or shownMode(); empty: running.
Outcome outcomeOf(QStringView wireName);

} // namespace loadlab
