#include "core/verdict/Finding.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

/// Source, consent, file, packages, memory, placement, device, use: breaks ties only.
std::size_t rankOf(FailureMode mode)
{
    using enum FailureMode;
    static constexpr std::array kOrder{ModelMissing, AccessDenied, DiskIo, RemoteCodeRefused, IncompleteDownload,
        CorruptFile, MissingDependency, UnsupportedArchitecture, DeviceOom, HostAllocFailed, DeviceMapError,
        DtypeQuantizationConflict, StructureMismatch, GpuDriverError, GenerationError};
    return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), mode) - kOrder.begin());
}

bool anyMatches(const std::vector<Pattern>& patterns, std::string_view lowered)
{
    return std::any_of(patterns.begin(), patterns.end(), [lowered](const Pattern& p) { return p.matches(lowered); });
}

bool textFits(const TextRule& rule, std::string_view lowered)
{
    return (rule.match.empty() || anyMatches(rule.match, lowered)) && !anyMatches(rule.unless, lowered);
}

/// "torch.cuda.outofmemoryerror" is of the types "torch.cuda.outofmemoryerror" and "outofmemoryerror".
bool typeFits(const TextRule& rule, std::string_view loweredType)
{
    if (rule.types.empty())
        return true;
    const auto dot = loweredType.find_last_of(".:");
    const auto last = dot == loweredType.npos ? loweredType : loweredType.substr(dot + 1);
    return std::any_of(rule.types.begin(), rule.types.end(),
        [&](const std::string& type) { return type == loweredType || type == last; });
}

/// In a log the type stands in front of the message: "RuntimeError: …", "torch.cuda.OutOfMemoryError: …".
bool typeStandsInFront(const TextRule& rule, std::string_view lowered)
{
    return rule.types.empty() || typeFits(rule, lowered.substr(0, lowered.find(": ")));
}

/// Memory that was refused is asked for again, in smaller pieces; what else was caught and told mostly is the cause.
bool isOfMemory(FailureMode mode)
{
    return mode == FailureMode::DeviceOom || mode == FailureMode::HostAllocFailed;
}

class Best {
public:
    void consider(const TextRule& rule, const std::string& line)
    {
        if (!m_best.rule || better(rule, *m_best.rule)) {
            if (m_best.rule && m_best.rule->mode != rule.mode)
                m_best.rival = m_best.rule;
            m_best.rule = &rule;
            m_best.line = line;
        } else if (rule.mode != m_best.rule->mode && (!m_best.rival || better(rule, *m_best.rival))) {
            m_best.rival = &rule;
        }
    }
    [[nodiscard]] std::optional<TextMatch> result()
    {
        if (!m_best.rule)
            return std::nullopt;
        if (m_best.rival && m_best.rival->weight < m_best.rule->weight)
            m_best.rival = nullptr;
        return m_best;
    }

private:
    static bool better(const TextRule& rule, const TextRule& than)
    {
        if (rule.weight != than.weight)
            return rule.weight > than.weight;
        return rankOf(rule.mode) < rankOf(than.mode);
    }
    TextMatch m_best;
};

} // namespace

std::optional<TextMatch> matchError(const Case& asked)
{
    Best best;
    const auto& error = *asked.facts.error;
    const auto type = toLowerAscii(error.type);
    const auto lines = logLines(error.message);
    for (const auto& rule : asked.rules.texts) {
        if (!rule.inError || !typeFits(rule, type))
            continue;
        if (rule.match.empty())
            best.consider(rule, excerpt(error.message));
        for (const auto& line : lines)
            if (!rule.match.empty() && textFits(rule, line.lowered))
                best.consider(rule, line.text);
    }
    return best.result();
}

std::optional<TextMatch> matchLog(const Case& asked)
{
    Best best;
    for (const auto& line : asked.log)
        for (const auto& rule : asked.rules.texts)
            if (rule.inLog && !(line.survived && isOfMemory(rule.mode)) && typeStandsInFront(rule, line.lowered)
                && textFits(rule, line.lowered))
                best.consider(rule, line.text);
    return best.result();
}

std::optional<TextMatch> matchStart(const Case& asked)
{
    Best best;
    const auto lowered = toLowerAscii(asked.facts.startError->message);
    for (const auto& rule : asked.rules.texts)
        if (rule.atStart && rule.types.empty() && textFits(rule, lowered))
            best.consider(rule, asked.facts.startError->message);
    return best.result();
}

} // namespace loadlab
