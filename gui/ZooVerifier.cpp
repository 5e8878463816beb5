#include "gui/ZooVerifier.h"

#include "core/Units.h"

#include <atomic>

namespace loadlab {
namespace {

constexpr int kTickMs = 100;

} // namespace

/// Written by the reading thread, read by the GUI thread.
struct ZooVerifier::Tally {
    std::int64_t startedNs = monotonicNs();
    std::atomic<std::uint64_t> doneBytes{0};
    std::atomic<std::uint64_t> totalBytes{0};
};

struct ZooVerifier::Read {
    std::shared_ptr<const Checkpoint> checkpoint;
    DeepReport report;
};

ZooVerifier::ZooVerifier(const FamilyCatalog& families, QObject* parent)
    : QObject(parent)
    , m_families(families)
    , m_background(Background::AtEnd::Drop)
{
    m_tick.setInterval(kTickMs);
    connect(&m_tick, &QTimer::timeout, this, &ZooVerifier::changed);
}

ZooVerifier::~ZooVerifier()
{
    m_stop.request_stop();
}

void ZooVerifier::verify(std::shared_ptr<const Checkpoint> checkpoint)
{
    m_stop.request_stop();
    m_stop = std::stop_source();
    m_checkpoint = std::move(checkpoint);
    m_tally = std::make_shared<Tally>();
    m_tick.start();
    Q_EMIT changed();
    m_background.ask(
        this,
        [this, path = m_checkpoint->path, tally = m_tally, stop = m_stop.get_token()]() -> Result<Read> {
            InspectOptions options;
            options.stop = stop;
            Result<Checkpoint> looked = inspectCheckpoint(path, m_families, options);
            if (!looked)
                return std::move(looked).error();
            Read read;
            tally->totalBytes = deepBytes(*looked);
            read.report = deepCheck(
                *looked, [&](std::uint64_t bytes) { tally->doneBytes += bytes; }, stop);
            read.checkpoint = std::make_shared<const Checkpoint>(*std::move(looked));
            return read;
        },
        [this, tally = m_tally](Result<Read> read) { take(tally, std::move(read)); });
}

void ZooVerifier::take(const std::shared_ptr<Tally>& tally, Result<Read> read)
{
    if (tally != m_tally)
        return;
    cancel();
    if (read)
        Q_EMIT verified(read->checkpoint, read->report);
    else if (read.error().kind != ErrorKind::Cancelled)
        Q_EMIT failed(read.error());
}

void ZooVerifier::cancel()
{
    m_stop.request_stop();
    m_tally.reset();
    m_checkpoint.reset();
    m_tick.stop();
    Q_EMIT changed();
}

ZooVerifier::Progress ZooVerifier::progress() const
{
    if (!m_tally)
        return {};
    return {m_tally->doneBytes, m_tally->totalBytes, static_cast<double>(monotonicNs() - m_tally->startedNs) / 1e9};
}

} // namespace loadlab
