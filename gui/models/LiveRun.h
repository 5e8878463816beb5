#pragma once

#include "core/trial/RunEvent.h"

#include <QString>

#include <optional>
#include <vector>

namespace loadlab {

/// Who said a line of the log.
enum class LogVoice { Worker, Stderr, Lab };

struct LiveLine {
    double tS = 0;
    LogVoice voice = LogVoice::Lab;
    QString kind; ///< "phase", "progress", "warning", "error", "stderr", "lab" …
    QString text;
};

/// Joins log text, which comes in pieces of any size, to lines. What a carriage return overwrites is left out, control
/// characters and colours too, and a line is shown to 2,000 characters.
class LineJoiner {
public:
    /// The lines that these bytes complete.
    std::vector<QString> feed(std::string_view bytes);
    /// The unfinished line at the end; nothing when there is none.
    std::optional<QString> finish();

private:
    std::string m_tail;
};
/// One line as it is shown.
QString shownLine(std::string_view bytes);

/// How much of the load is done, 0 to 1: by bytes where the worker tells them, else by count.
double shareOf(const protocol::Progress& progress);
/// The same in percent, rounded down: 100 is said when everything is there.
int percentOf(const protocol::Progress& progress);

/// What is known of a run so far, from its events alone. A value without threads; the same for a run in progress and
/// one that ended.
class LiveRun {
public:
    /// Returns the log lines that this event adds.
    std::vector<LiveLine> apply(const RunEvent& event);

    [[nodiscard]] bool isEmpty() const { return !m_started; }
    [[nodiscard]] bool hasEnded() const { return m_result.has_value(); }
    [[nodiscard]] const RunStarted& started() const { return *m_started; } ///< Only when not empty.
    [[nodiscard]] TrialState state() const { return m_state; }
    [[nodiscard]] const Curve& curve() const { return m_curve; }
    [[nodiscard]] const std::vector<Phase>& phases() const { return m_phases; } ///< The last one open: toS = now.
    [[nodiscard]] const std::optional<protocol::Progress>& progress() const { return m_progress; }
    [[nodiscard]] const std::optional<RunResult>& result() const { return m_result; }
    /// The result; of a run in progress what is known of it so far, without a verdict. Only when not empty.
    [[nodiscard]] RunResult soFar() const;
    [[nodiscard]] const std::optional<protocol::WorkerError>& error() const { return m_error; }
    [[nodiscard]] bool stopAsked() const { return m_stopAsked; }
    [[nodiscard]] const std::optional<RunContained>& contained() const { return m_contained; } ///< What holds it.
    [[nodiscard]] const std::vector<std::string>& outsideGroup() const { return m_outside; } ///< As in HostTraces.

    /// Seconds since the start; of a run that ended, its duration.
    [[nodiscard]] double elapsedS(std::int64_t nowNs) const;
    /// Of the process tree over the last seconds of the curve; nothing below two samples.
    [[nodiscard]] std::optional<double> growthBytesPerS(double overS) const;
    /// The same of how many samples come a second.
    [[nodiscard]] std::optional<double> samplesPerS(double overS) const;
    [[nodiscard]] const Sample* lastSample() const;

private:
    void begin(const RunStarted& started);
    void enterPhase(const std::string& name, double atS);
    void addSamples(const std::vector<Sample>& samples);
    void note(const LabActed& act);
    void end(const RunFinished& finished);
    [[nodiscard]] double secondsOf(std::int64_t monotonicNs) const;
    std::vector<LiveLine> linesOf(const RunEvent& event, double tS);
    std::vector<LiveLine> linesOfText(const LogText& text, double tS);
    std::vector<LiveLine> linesOfMessage(const protocol::Message& message, double tS);
    bool isNewProgress(const protocol::Progress& progress);

    std::optional<RunStarted> m_started;
    TrialState m_state = TrialState::Baseline;
    Curve m_curve;
    std::vector<Phase> m_phases;
    std::optional<RunContained> m_contained;
    std::uint64_t m_highWaterBytes = 0;
    std::optional<protocol::Progress> m_progress;
    std::optional<protocol::Hello> m_hello;
    std::optional<protocol::Loaded> m_loaded;
    std::optional<protocol::WorkerError> m_error;
    std::optional<RunResult> m_result;
    LineJoiner m_stderr;
    LineJoiner m_stdout;
    int m_toldPercent = -1;
    bool m_stopAsked = false;
    std::vector<std::string> m_outside;
};

} // namespace loadlab
