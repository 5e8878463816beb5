#include "gui/models/LiveRun.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/trial/RunAccount.h"
#include "gui/Words.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>

namespace loadlab {
namespace {

constexpr std::size_t kShownCharacters = 2000;
constexpr std::size_t kKeptTail = std::size_t{64} << 10;

/// Drops control characters and terminal escapes (CSI and the two-character ones); tabs stay.
std::string withoutControls(std::string_view bytes)
{
    std::string kept;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        if (byte == 0x1b && i + 1 < bytes.size() && bytes[i + 1] == '[') {
            i += 2;
            while (i < bytes.size() && (bytes[i] < 0x40 || bytes[i] > 0x7e))
                ++i;
        } else if (byte == 0x1b) {
            ++i;
        } else if (byte >= 0x20 || byte == '\t') {
            kept += bytes[i];
        }
    }
    return kept;
}

QString percentWords(const protocol::Progress& progress)
{
    // The wire's unit is a plural.
    std::string unit = progress.unit;
    if (progress.total == 1 && unit.ends_with('s'))
        unit.pop_back();
    return QStringLiteral("%1 %  %2 of %3 %4  %5")
        .arg(percentOf(progress))
        .arg(toQString(formatCount(progress.done)), toQString(formatCount(progress.total)), toQString(unit),
            toQString(progress.what));
}

QString endWords(const WaitStatus& status)
{
    if (status.signal)
        return QStringLiteral("the worker was ended by signal %1 (%2)")
            .arg(*status.signal)
            .arg(QString::fromUtf8(::strsignal(*status.signal)));
    return QStringLiteral("the worker ended with exit code %1").arg(status.code.value_or(-1));
}

} // namespace

double shareOf(const protocol::Progress& progress)
{
    const bool inBytes = progress.totalBytes > 0;
    const auto done = static_cast<double>(inBytes ? progress.doneBytes : progress.done);
    const auto total = static_cast<double>(inBytes ? progress.totalBytes : progress.total);
    return total > 0 ? std::min(1.0, done / total) : 0.0;
}

int percentOf(const protocol::Progress& progress)
{
    return static_cast<int>(std::floor(shareOf(progress) * 100 + 1e-9));
}

QString shownLine(std::string_view bytes)
{
    while (!bytes.empty() && bytes.back() == '\r')
        bytes.remove_suffix(1);
    if (const std::size_t overwritten = bytes.rfind('\r'); overwritten != std::string_view::npos)
        bytes.remove_prefix(overwritten + 1);
    const bool cut = bytes.size() > kShownCharacters;
    const QString text = toQString(withoutControls(bytes.substr(0, kShownCharacters)));
    return cut ? text + QStringLiteral(" …") : text;
}

std::vector<QString> LineJoiner::feed(std::string_view bytes)
{
    std::vector<QString> lines;
    for (std::size_t newline = bytes.find('\n'); newline != std::string_view::npos; newline = bytes.find('\n')) {
        m_tail.append(bytes.substr(0, newline));
        lines.push_back(shownLine(m_tail));
        m_tail.clear();
        bytes.remove_prefix(newline + 1);
    }
    // A line that never ends (a bar drawn with carriage returns) must not grow without bound.
    m_tail.append(bytes);
    if (m_tail.size() > 2 * kKeptTail) {
        const std::size_t overwritten = m_tail.rfind('\r');
        m_tail.erase(0, overwritten == std::string::npos ? m_tail.size() - kKeptTail : overwritten);
    }
    return lines;
}

std::optional<QString> LineJoiner::finish()
{
    if (m_tail.empty())
        return std::nullopt;
    const QString line = shownLine(m_tail);
    m_tail.clear();
    return line;
}

std::vector<LiveLine> LiveRun::apply(const RunEvent& event)
{
    if (const auto* started = std::get_if<RunStarted>(&event.body))
        begin(*started);
    if (!m_started)
        return {};
    const double tS = secondsOf(event.monotonicNs);
    std::vector<LiveLine> lines = linesOf(event, tS);
    if (const auto* state = std::get_if<StateChanged>(&event.body))
        m_state = state->state;
    else if (const auto* contained = std::get_if<RunContained>(&event.body))
        m_contained = *contained;
    else if (const auto* samples = std::get_if<SamplesTaken>(&event.body))
        addSamples(samples->samples);
    else if (const auto* rose = std::get_if<HighWaterRose>(&event.body))
        m_highWaterBytes = rose->bytes;
    else if (const auto* act = std::get_if<LabActed>(&event.body))
        note(*act);
    else if (const auto* finished = std::get_if<RunFinished>(&event.body))
        end(*finished);
    return lines;
}

void LiveRun::begin(const RunStarted& started)
{
    *this = LiveRun();
    m_started = started;
    m_curve.originNs = started.originNs;
    enterPhase("starting", 0);
}

void LiveRun::enterPhase(const std::string& name, double atS)
{
    if (!m_phases.empty())
        m_phases.back().toS = atS;
    m_phases.push_back({name, atS, atS, 0});
}

void LiveRun::addSamples(const std::vector<Sample>& samples)
{
    m_curve.samples.insert(m_curve.samples.end(), samples.begin(), samples.end());
    if (m_phases.empty() || m_curve.samples.empty())
        return;
    Phase& open = m_phases.back();
    open.toS = std::max(open.fromS, secondsOf(m_curve.samples.back().monotonicNs));
    open.rateBytesPerS = slope(m_curve, Column::TreeBytes, open.fromS, open.toS);
}

void LiveRun::note(const LabActed& act)
{
    m_stopAsked = m_stopAsked || act.act == "cancel";
    if (act.act == "outside_group")
        m_outside.push_back(act.process);
}

void LiveRun::end(const RunFinished& finished)
{
    m_result = finished.result;
    m_phases = finished.result.phases;
    m_state = TrialState::Settled;
    if (finished.result.progress)
        m_progress = finished.result.progress;
}

RunResult LiveRun::soFar() const
{
    if (m_result)
        return *m_result;
    RunResult result;
    result.identity = m_started->identity;
    result.startedUtc = m_started->startedUtc;
    if (m_contained)
        copyTo(result, *m_contained);
    result.traces.outsideGroup = m_outside;
    result.curve = summarise(m_curve);
    result.hwmBytes = std::max(m_highWaterBytes, provenHighWater(m_curve));
    if (!m_curve.samples.empty())
        result.duration = std::chrono::nanoseconds(m_curve.samples.back().monotonicNs - m_curve.originNs);
    result.phases = m_phases;
    rateThePhases(m_curve, result.phases);
    result.progress = m_progress;
    result.loaded = m_loaded;
    result.environment = environmentOf(m_started->machine, m_hello);
    return result;
}

double LiveRun::secondsOf(std::int64_t monotonicNs) const
{
    return static_cast<double>(monotonicNs - m_curve.originNs) / 1e9;
}

double LiveRun::elapsedS(std::int64_t nowNs) const
{
    if (m_result)
        return std::chrono::duration<double>(m_result->duration).count();
    return m_started ? std::max(0.0, secondsOf(nowNs)) : 0.0;
}

std::optional<double> LiveRun::growthBytesPerS(double overS) const
{
    if (m_curve.samples.size() < 2)
        return std::nullopt;
    const double lastS = secondsOf(m_curve.samples.back().monotonicNs);
    return slope(m_curve, Column::TreeBytes, lastS - overS, lastS);
}

std::optional<double> LiveRun::samplesPerS(double overS) const
{
    if (m_curve.samples.size() < 2)
        return std::nullopt;
    const double lastS = secondsOf(m_curve.samples.back().monotonicNs);
    const auto first = std::ranges::lower_bound(
        m_curve.samples, lastS - overS, {}, [this](const Sample& sample) { return secondsOf(sample.monotonicNs); });
    const double spanS = lastS - secondsOf(first->monotonicNs);
    return spanS > 0 ? std::optional(static_cast<double>(m_curve.samples.end() - first - 1) / spanS) : std::nullopt;
}

const Sample* LiveRun::lastSample() const
{
    return m_curve.samples.empty() ? nullptr : &m_curve.samples.back();
}

std::vector<LiveLine> LiveRun::linesOf(const RunEvent& event, double tS)
{
    const auto lab = [tS](const QString& text) {
        return std::vector<LiveLine>{{tS, LogVoice::Lab, QStringLiteral("lab"), text}};
    };
    if (const auto* text = std::get_if<LogText>(&event.body))
        return linesOfText(*text, tS);
    if (const auto* message = std::get_if<protocol::Message>(&event.body))
        return linesOfMessage(*message, tS);
    if (const auto* started = std::get_if<WorkerStarted>(&event.body))
        return lab(QStringLiteral("worker started, pid %1: %2").arg(started->pid).arg(toQString(started->commandLine)));
    if (const auto* act = std::get_if<LabActed>(&event.body))
        return lab(
            act->why.empty() ? toQString(act->act) : toQString(act->act) + QStringLiteral(": ") + toQString(act->why));
    if (const auto* finished = std::get_if<RunFinished>(&event.body); finished && finished->result.verdict)
        return lab(toQString(finished->result.verdict->summary));
    if (const auto* ended = std::get_if<WorkerEnded>(&event.body)) {
        std::vector<LiveLine> lines;
        for (LineJoiner* rest : {&m_stderr, &m_stdout})
            if (const std::optional<QString> line = rest->finish())
                lines.push_back({tS, LogVoice::Stderr,
                    rest == &m_stderr ? QStringLiteral("stderr") : QStringLiteral("stdout"), *line});
        lines.push_back({tS, LogVoice::Lab, QStringLiteral("lab"), endWords(ended->status)});
        return lines;
    }
    return {};
}

std::vector<LiveLine> LiveRun::linesOfText(const LogText& text, double tS)
{
    std::vector<LiveLine> lines;
    const bool isStderr = text.stream == LogStream::Stderr;
    const LogVoice voice = text.stream == LogStream::Lab ? LogVoice::Lab : LogVoice::Stderr;
    for (QString& line : (isStderr ? m_stderr : m_stdout).feed(text.bytes))
        lines.push_back({tS, voice, toQString(toWireName(text.stream)), std::move(line)});
    return lines;
}

std::vector<LiveLine> LiveRun::linesOfMessage(const protocol::Message& message, double tS)
{
    const auto worker = [tS, &message](const QString& text) {
        return std::vector<LiveLine>{{tS, LogVoice::Worker, toQString(protocol::typeOf(message)), text}};
    };
    if (const auto* hello = std::get_if<protocol::Hello>(&message.body)) {
        m_hello = *hello;
        QString versions;
        for (const auto& [name, version] : hello->versions)
            versions += QStringLiteral(" · %1 %2").arg(toQString(name), toQString(version));
        return worker(toQString(hello->backend) + versions);
    }
    if (const auto* phase = std::get_if<protocol::PhaseEntered>(&message.body)) {
        enterPhase(phase->name, tS);
        return worker(toQString(phase->name));
    }
    if (const auto* progress = std::get_if<protocol::Progress>(&message.body))
        return isNewProgress(*progress) ? worker(percentWords(*progress)) : std::vector<LiveLine>{};
    if (const auto* loaded = std::get_if<protocol::Loaded>(&message.body)) {
        m_loaded = *loaded;
        return worker(QStringLiteral("%1 in %2")
                          .arg(toQString(formatCount(loaded->parameters, "parameter")),
                              toQString(formatCount(loaded->tensors, "tensor"))));
    }
    if (const auto* warning = std::get_if<protocol::Warning>(&message.body))
        return worker(toQString(warning->message));
    if (const auto* error = std::get_if<protocol::WorkerError>(&message.body)) {
        m_error = *error;
        return worker(toQString(error->type) + QStringLiteral(": ") + toQString(error->message));
    }
    if (const auto* bye = std::get_if<protocol::Bye>(&message.body))
        return worker(QStringLiteral("code %1").arg(bye->code));
    return {};
}

/// One line for every tenth: the bar tells the rest.
bool LiveRun::isNewProgress(const protocol::Progress& progress)
{
    m_progress = progress;
    const int percent = percentOf(progress);
    if (percent / 10 == m_toldPercent / 10 && m_toldPercent >= 0)
        return false;
    m_toldPercent = percent;
    return true;
}

} // namespace loadlab
