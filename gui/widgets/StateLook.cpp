#include "gui/widgets/StateLook.h"

#include <QRegularExpression>

#include <array>

namespace loadlab {
namespace {

struct Known {
    const char* wire;
    const char* icon;
    Role role;
    const char* words; ///< nullptr: the failure mode's own.
};

constexpr std::array kKnown{
    // Failure modes that are not simply "fail".
    Known{"ok", "ok", Role::Ok, nullptr},
    Known{"host_oom_killed", "mem", Role::Fail, nullptr},
    Known{"host_alloc_failed", "mem", Role::Fail, nullptr},
    Known{"device_oom", "mem", Role::Fail, nullptr},
    Known{"structure_mismatch", "struct", Role::Fail, nullptr},
    Known{"hang", "clock", Role::Fail, nullptr},
    Known{"timed_out", "clock", Role::Fail, nullptr},
    Known{"guard_stopped", "shield", Role::Info, nullptr},
    Known{"preflight_refused", "shield", Role::Info, nullptr},
    Known{"loaded_but_wrong", "warn", Role::Warn, nullptr},
    Known{"incomplete_download", "warn", Role::Warn, nullptr},
    Known{"host_lost", "power", Role::Fail, nullptr},
    Known{"lab_lost", "power", Role::Fail, nullptr},
    Known{"cancelled", "stop", Role::Neutral, nullptr},
    Known{"model_missing", "unk", Role::Neutral, nullptr},
    Known{"unknown", "unk", Role::Neutral, nullptr},
    Known{"ended", "ok", Role::Ok, "Ended"},
    // A run in progress.
    Known{"", "run", Role::Info, "Loading"},
    Known{"running", "run", Role::Info, "Loading"},
    Known{"baseline", "run", Role::Info, "Baseline"},
    Known{"starting", "run", Role::Info, "Starting"},
    Known{"loading", "run", Role::Info, "Loading"},
    Known{"loaded", "run", Role::Info, "Loaded, holding"},
    Known{"exercising", "run", Role::Info, "Exercising"},
    Known{"stopping", "stop", Role::Info, "Stopping"},
    Known{"settled", "ok", Role::Neutral, "Settled"},
    Known{"queued", "clock", Role::Neutral, "Queued"},
    Known{"draft", "clock", Role::Neutral, "Draft"},
    // States of a checkpoint.
    Known{"complete", "ok", Role::Ok, "Complete"},
    Known{"incomplete", "warn", Role::Warn, "Incomplete"},
    Known{"pointer", "link", Role::Warn, "Pointer files"},
    Known{"corrupt", "fail", Role::Fail, "Corrupt"},
    Known{"unsupported", "info", Role::Info, "Unsupported"},
    Known{"empty", "unk", Role::Neutral, "Empty"},
    Known{"absent", "unk", Role::Neutral, "Absent"},
    Known{"checking", "refresh", Role::Info, "Checking"},
    // Backends.
    Known{"usable", "ok", Role::Ok, "Usable"},
    Known{"broken", "warn", Role::Warn, "Broken"},
};

QString fromStd(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

} // namespace

StateLook lookOf(QStringView wireName)
{
    const QByteArray wire = wireName.toUtf8();
    const std::optional<FailureMode> mode = findFailureMode({wire.constData(), static_cast<std::size_t>(wire.size())});
    for (const Known& known : kKnown)
        if (wire == known.wire)
            return {QString::fromLatin1(known.icon),
                known.words ? QString::fromUtf8(known.words) : fromStd(toWords(mode.value_or(FailureMode::Unknown))),
                known.role};
    if (mode)
        return {QStringLiteral("fail"), fromStd(toWords(*mode)), Role::Fail};
    return {QStringLiteral("unk"), wireName.toString(), Role::Neutral};
}

QString shownMode(const QString& modeWireName, bool watched)
{
    return watched && modeWireName == QLatin1String("ok") ? QStringLiteral("ended") : modeWireName;
}

QString shownMode(FailureMode mode, bool watched)
{
    return shownMode(fromStd(toWireName(mode)), watched);
}

QString inWords(const QString& sentence)
{
    static const QRegularExpression wireName(QStringLiteral("\\b[a-z]+(?:_[a-z]+)+\\b"));
    QString words;
    qsizetype copied = 0;
    for (auto found = wireName.globalMatch(sentence); found.hasNext();) {
        const QRegularExpressionMatch match = found.next();
        const std::optional<FailureMode> mode = findFailureMode(match.captured().toStdString());
        if (!mode)
            continue;
        words += sentence.mid(copied, match.capturedStart() - copied);
        words += QString(match.capturedStart() == 0 ? QStringLiteral("%1") : QStringLiteral("“%1”"))
                     .arg(fromStd(toWords(*mode)));
        copied = match.capturedEnd();
    }
    words += sentence.mid(copied);
    // A word with a dot, a slash or an underline in it is a name and keeps its spelling.
    static const QRegularExpression plainStart(
        QStringLiteral("^(?!libtorch|safetensors)\\p{Ll}[\\p{L}’'-]*(?=[\\s,:;.]|$)(?![.:/]\\S)"));
    if (plainStart.match(words).hasMatch())
        words[0] = words[0].toUpper();
    return words;
}

QString phaseWords(std::string_view name)
{
    QString words = fromStd(name);
    if (!words.isEmpty())
        words[0] = words[0].toUpper();
    return words;
}

Outcome outcomeOf(QStringView wireName)
{
    if (wireName.isEmpty())
        return Outcome::Running;
    if (wireName == QLatin1String("ok") || wireName == QLatin1String("ended")
        || wireName == QLatin1String("loaded_but_wrong"))
        return Outcome::Loaded;
    return lookOf(wireName).role == Role::Neutral ? Outcome::Unknown : Outcome::Failed;
}

} // namespace loadlab
