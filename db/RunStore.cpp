#include "db/RunStore.h"

#include "db/StoreFile.h"
#include "db/StoreState.h"

#include <cmath>

namespace loadlab {

RunStore::RunStore(std::unique_ptr<State> state)
    : m_state(std::move(state))
{
}
RunStore::RunStore(RunStore&&) noexcept = default;
RunStore& RunStore::operator=(RunStore&&) noexcept = default;
RunStore::~RunStore() = default;

Result<RunStore> RunStore::open(const std::filesystem::path& file, Mode mode, std::chrono::milliseconds patience)
{
    return openStoreFile(file, mode, patience).transform([](sqlite::Connection&& database) {
        std::filesystem::path opened = database.file();
        LabLock lock(opened);
        auto state = std::make_unique<State>(State{std::move(database), std::move(opened), std::move(lock)});
        const auto log = state->database.number("SELECT journal_mode = 'wal' FROM pragma_journal_mode");
        state->writeAheadLog = log && *log == 1;
        return RunStore(std::move(state));
    });
}

Result<RunStore> RunStore::openInMemory()
{
    return openStoreInMemory().transform([](sqlite::Connection&& database) {
        return RunStore(std::make_unique<State>(State{std::move(database), {}, LabLock({})}));
    });
}

const std::filesystem::path& RunStore::file() const
{
    return m_state->file;
}

Result<void> RunStore::begin(Durability durability)
{
    return m_state->begin(durability);
}

Result<void> RunStore::commit()
{
    return m_state->commit();
}

void RunStore::rollback()
{
    m_state->rollback();
}

void RunStore::setLogLimit(std::uint64_t bytes)
{
    m_state->logs.setLimit(bytes);
}

Result<void> RunStore::addSamples(RunId run, std::span<const Sample> samples)
{
    return m_state->write([&] { return m_state->samples.add(m_state->database, run, samples); });
}

Result<void> RunStore::addLog(RunId run, LogStream stream, double tS, std::string_view bytes)
{
    const std::int64_t tMs = std::llround(tS * 1000);
    return m_state->write([&] { return m_state->logs.add(m_state->database, run, stream, tMs, bytes); });
}

Result<void> RunStore::addLogGap(RunId run, std::uint64_t bytes)
{
    return m_state->write([&] { return m_state->logs.skip(m_state->database, run, bytes); });
}

} // namespace loadlab
