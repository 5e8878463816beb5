#include "core/trial/RunFiles.h"

#include "core/Units.h"
#include "core/telemetry/OpenFiles.h"
#include "core/telemetry/Whereabouts.h"

#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

namespace loadlab {
using namespace std::chrono_literals;
namespace {

constexpr auto kPositionsLimit = 1s; ///< Thousands of descriptors take a tenth of it.
constexpr auto kFindLimit = 2s; ///< Of many mapped gigabytes the kernel takes a second to tell.

/// On a thread that nobody waits for, so `work` has to own all that it touches. Not std::async, whose future waits when
/// it goes. Nothing valid where no thread is to be had.
template <typename F> std::future<std::invoke_result_t<F>> aside(F work)
{
    std::packaged_task<std::invoke_result_t<F>()> task(std::move(work));
    auto answer = task.get_future();
    try {
        std::thread(std::move(task)).detach();
    } catch (const std::system_error&) {
        return {};
    }
    return answer;
}

template <typename T> bool isOut(const std::future<T>& answer, std::chrono::nanoseconds wait = 0ns)
{
    return answer.valid() && answer.wait_for(wait) != std::future_status::ready;
}

} // namespace

RunFiles::RunFiles(const std::filesystem::path& folder)
    : m_trail(std::make_shared<FileTrail>(folder))
    , m_positions(std::make_shared<ReadPositions>())
{
}

RunFiles::~RunFiles() = default;

bool RunFiles::look(std::vector<pid_t> processes)
{
    if (!m_trail || isOut(m_look))
        return false;
    m_look = aside([trail = m_trail, tree = std::move(processes)] {
        const std::int64_t fromNs = monotonicNs();
        trail->look(tree);
        return std::chrono::nanoseconds(monotonicNs() - fromNs);
    });
    return true;
}

std::optional<std::chrono::nanoseconds> RunFiles::lookTook()
{
    if (!m_look.valid() || isOut(m_look))
        return std::nullopt;
    return m_look.get();
}

std::string RunFiles::find(std::vector<pid_t> processes)
{
    const std::string untold = "whereabouts not told: no answer within " + formatDuration(kFindLimit)
        + ", as where a file system does not answer";
    const std::int64_t untilNs = monotonicNs() + std::chrono::nanoseconds(kFindLimit).count();
    if (!m_trail || isOut(m_look, kFindLimit))
        return untold;
    auto found = aside([trail = std::exchange(m_trail, nullptr), tree = std::move(processes)] {
        const auto at = trail->find(tree);
        return at ? toWords(*at) : std::string();
    });
    if (!found.valid() || isOut(found, std::chrono::nanoseconds(untilNs - monotonicNs())))
        return untold;
    return found.get();
}

bool RunFiles::gotFurther(std::vector<pid_t> processes)
{
    if (isOut(m_further))
        return false;
    const bool before = m_further.valid() && m_further.get();
    m_further = aside([positions = m_positions, tree = std::move(processes)] { return positions->gotFurther(tree); });
    if (!m_further.valid() || isOut(m_further, kPositionsLimit))
        return before;
    return m_further.get() || before;
}

} // namespace loadlab
