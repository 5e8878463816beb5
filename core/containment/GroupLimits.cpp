#include "core/containment/GroupLimits.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::int64_t kLimitsEveryNs = 1'000'000'000;
constexpr std::size_t kMostFollowed = 32; ///< Three descriptors each.
/// v1 says "no limit" with a number next to 2^63.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62;

} // namespace

GroupLimits::GroupLimits(const RunGroup& group)
    : m_kind(group.kind())
{
    for (const auto& folder : group.withEnclosing())
        add(folder);
    m_ownLevels = m_levels.size();
}

void GroupLimits::add(const std::filesystem::path& folder)
{
    const bool v1 = m_kind == GroupKind::V1;
    const auto open = [](const std::filesystem::path& file) { return ProcFile(file.c_str()); };
    m_levels.push_back({folder, open(folder / (v1 ? "memory.limit_in_bytes" : "memory.max")),
        open(folder / (v1 ? "memory.usage_in_bytes" : "memory.current")), open(folder / "memory.stat"), {}});
}

void GroupLimits::follow(const RunGroup& group, const std::set<std::string>& others)
{
    std::set<std::filesystem::path> folders;
    for (const std::string& other : others)
        if (folders.size() < kMostFollowed)
            for (const auto& folder : group.withEnclosing(other))
                folders.insert(folder);
    const auto followed = m_levels.begin() + static_cast<std::ptrdiff_t>(m_ownLevels);
    m_levels.erase(
        std::remove_if(followed, m_levels.end(), [&](const Level& level) { return !folders.contains(level.folder); }),
        m_levels.end());
    for (const Level& level : m_levels)
        folders.erase(level.folder);
    for (const auto& folder : folders)
        add(folder);
    if (!folders.empty())
        m_limitsReadNs.reset();
}

void GroupLimits::readLimits()
{
    for (Level& level : m_levels) {
        auto text = level.limit.read(m_buffer);
        const auto limit = text ? procfs::takeNumber(*text) : std::nullopt; // "max" is no number.
        level.limitBytes = limit && *limit < kUnlimited ? limit : std::nullopt;
    }
}

/// Without page cache.
std::optional<std::uint64_t> GroupLimits::heldIn(const Level& level)
{
    auto text = level.usage.read(m_buffer);
    const auto usage = text ? procfs::takeNumber(*text) : std::nullopt;
    text = level.stat.read(m_buffer);
    const auto file = text ? pageCacheIn(m_kind, *text) : std::nullopt;
    return usage ? std::optional(*usage - std::min(*usage, file.value_or(0))) : std::nullopt;
}

std::optional<GroupLimits::Left> GroupLimits::nearest(std::int64_t nowNs)
{
    if (!m_limitsReadNs || nowNs - *m_limitsReadNs >= kLimitsEveryNs) {
        m_limitsReadNs = nowNs;
        readLimits();
    }
    std::optional<Left> nearest;
    for (const Level& level : m_levels) {
        const auto held = level.limitBytes ? heldIn(level) : std::nullopt;
        if (!held)
            continue;
        const std::uint64_t left = *level.limitBytes - std::min(*level.limitBytes, *held);
        if (!nearest || left < nearest->leftBytes)
            nearest = {left, *level.limitBytes, &level == &m_levels.front()};
    }
    return nearest;
}

} // namespace loadlab
