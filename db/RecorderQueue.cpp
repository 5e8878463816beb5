#include "db/RecorderQueue.h"

#include "core/Units.h"

#include <algorithm>

namespace loadlab {
namespace {

/// What a piece costs besides its bytes: thousands of tiny ones must not slip through the limit.
constexpr std::uint64_t kPieceBytes = 64;
constexpr std::int64_t kJoinMs = 100;

std::uint64_t costOf(const LogPiece& piece)
{
    return piece.bytes.size() + kPieceBytes;
}

/// Joined with the piece before where that is the same stream at nearly the same time. Returns what it cost.
std::uint64_t push(std::deque<LogPiece>& pieces, LogPiece piece)
{
    if (!pieces.empty() && pieces.back().stream == piece.stream && piece.tMs - pieces.back().tMs < kJoinMs) {
        pieces.back().bytes += piece.bytes;
        return piece.bytes.size();
    }
    pieces.push_back(std::move(piece));
    return costOf(pieces.back());
}

/// Texts that a worker may make as long as a protocol line.
std::uint64_t sizeOf(const RunEvent& event)
{
    const auto* message = std::get_if<protocol::Message>(&event.body);
    if (!message)
        return 256;
    if (const auto* error = std::get_if<protocol::WorkerError>(&message->body))
        return 256 + error->message.size() + error->traceback.size();
    if (const auto* warning = std::get_if<protocol::Warning>(&message->body))
        return 256 + warning->message.size();
    if (const auto* turn = std::get_if<protocol::Turn>(&message->body))
        return 256 + turn->text.size();
    return std::holds_alternative<protocol::Loaded>(message->body) ? 64 << 10 : 512;
}

bool isProgress(const RunEvent& event)
{
    const auto* message = std::get_if<protocol::Message>(&event.body);
    return message && std::holds_alternative<protocol::Progress>(message->body);
}

} // namespace

// --- BoundedLog

void BoundedLog::add(LogPiece piece)
{
    if (m_gap == 0 && m_tail.empty() && m_headCost < m_half) {
        const std::uint64_t room = m_half - m_headCost;
        LogPiece first{piece.stream, piece.tMs, piece.bytes.substr(0, room)};
        piece.bytes.erase(0, room);
        m_headCost += push(m_head, std::move(first));
    }
    if (piece.bytes.empty())
        return;
    m_tailCost += push(m_tail, std::move(piece));
    while (m_tailCost > m_half && !m_tail.empty()) {
        LogPiece& oldest = m_tail.front();
        const std::uint64_t over = m_tailCost - m_half;
        if (over < oldest.bytes.size()) {
            oldest.bytes.erase(0, over);
            m_tailCost -= over;
            m_gap += over;
        } else {
            m_tailCost -= std::min(m_tailCost, costOf(oldest));
            m_gap += oldest.bytes.size();
            m_tail.pop_front();
        }
    }
}

void BoundedLog::addGap(std::uint64_t bytes)
{
    if (bytes == 0)
        return;
    for (const LogPiece& piece : m_tail) // there is room for one gap
        m_gap += piece.bytes.size();
    m_tail.clear();
    m_tailCost = 0;
    m_gap += bytes;
}

void BoundedLog::append(BoundedLog later)
{
    for (LogPiece& piece : later.m_head)
        add(std::move(piece));
    addGap(later.m_gap);
    for (LogPiece& piece : later.m_tail)
        add(std::move(piece));
}

// --- RecorderQueue

void RecorderQueue::keep(RunEvent event)
{
    const std::uint64_t bytes = sizeOf(event);
    if (m_batch.events.size() >= kMaxEvents || m_eventBytes + bytes > kMaxEventBytes) {
        ++m_eventsLost;
        return;
    }
    m_eventBytes += bytes;
    m_batch.events.push_back(std::move(event));
}

void RecorderQueue::addProgress(const RunEvent& event)
{
    if (event.monotonicNs - m_progressKeptNs < kProgressNs) {
        m_heldProgress = event;
        return;
    }
    m_progressKeptNs = event.monotonicNs;
    m_heldProgress.reset();
    keep(event);
}

void RecorderQueue::thinSamples()
{
    std::vector<Sample>& samples = m_batch.samples;
    std::size_t kept = 0;
    for (std::size_t i = 0; i + 1 < samples.size(); i += 2) {
        const bool second = samples[i + 1][Column::TreeBytes] > samples[i][Column::TreeBytes];
        samples[kept++] = samples[second ? i + 1 : i];
    }
    m_samplesLost += samples.size() - kept;
    samples.resize(kept);
}

void RecorderQueue::add(const RunEvent& event)
{
    if (std::holds_alternative<GuardLooked>(event.body))
        return;
    m_newestNs = std::max(m_newestNs, event.monotonicNs);
    if (const auto* taken = std::get_if<SamplesTaken>(&event.body)) {
        m_batch.samples.insert(m_batch.samples.end(), taken->samples.begin(), taken->samples.end());
        while (m_batch.samples.size() > kMaxSamples)
            thinSamples();
        return;
    }
    if (const auto* log = std::get_if<LogText>(&event.body)) {
        m_batch.log.add({log->stream, (event.monotonicNs - m_originNs) / 1'000'000, log->bytes});
        return;
    }
    if (const auto* started = std::get_if<RunStarted>(&event.body)) {
        m_originNs = started->originNs;
        m_batch.started = *started;
        return;
    }
    if (isProgress(event)) {
        addProgress(event);
        return;
    }
    if (m_heldProgress)
        keep(*std::exchange(m_heldProgress, std::nullopt));
    if (const auto* finished = std::get_if<RunFinished>(&event.body))
        m_batch.finished = finished->result;
    else
        keep(event);
}

void RecorderQueue::noteLosses(RecorderBatch& batch)
{
    const auto note = [&](std::uint64_t count, const char* act, const char* what) {
        if (count != 0)
            batch.events.push_back({m_newestNs,
                LabActed{act, "the disk did not keep up: " + formatCount(count) + " " + what + " were not stored"}});
    };
    note(std::exchange(m_samplesLost, 0), "thinned", "samples");
    note(std::exchange(m_eventsLost, 0), "dropped", "events");
}

RecorderBatch RecorderQueue::take()
{
    RecorderBatch batch = std::exchange(m_batch, RecorderBatch(m_logLimitBytes));
    m_eventBytes = 0;
    noteLosses(batch);
    return batch;
}

void RecorderQueue::putBack(RecorderBatch batch)
{
    RecorderBatch newer = std::exchange(m_batch, std::move(batch));
    m_eventBytes = 0;
    for (const RunEvent& event : m_batch.events)
        m_eventBytes += sizeOf(event);
    for (RunEvent& event : newer.events)
        keep(std::move(event));
    m_batch.samples.insert(m_batch.samples.end(), newer.samples.begin(), newer.samples.end());
    while (m_batch.samples.size() > kMaxSamples)
        thinSamples();
    m_batch.log.append(std::move(newer.log));
    if (newer.finished)
        m_batch.finished = std::move(newer.finished);
}

} // namespace loadlab
