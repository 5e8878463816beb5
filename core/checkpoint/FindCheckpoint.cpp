#include "core/Text.h"
#include "core/checkpoint/Zoo.h"
#include "core/checkpoint/ZooSearch.h"

#include <algorithm>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

std::string_view lastPart(std::string_view name)
{
    return name.substr(name.rfind('/') + 1); // npos + 1 is 0
}

/// How well a name answers to the word: the whole name, its last part, a beginning of either.
enum class Match { None, Beginning, LastPart, Whole };

Match matchOf(const ZooCandidate& candidate, std::string_view word)
{
    const std::string& name = candidate.name;
    if (name == word || candidate.path.filename().native() == word) // "models--org--name" too
        return Match::Whole;
    if (lastPart(name) == word)
        return Match::LastPart;
    return name.starts_with(word) || lastPart(name).starts_with(word) ? Match::Beginning : Match::None;
}

std::string listed(const std::vector<ZooCandidate>& candidates)
{
    constexpr std::size_t most = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(candidates.size(), most); ++i)
        text += (i == 0 ? "" : ", ") + candidates[i].name;
    return candidates.size() > most ? text + " …" : text;
}

Error unknown(std::string_view word, const std::vector<ZooCandidate>& all)
{
    std::vector<std::string> names;
    for (const ZooCandidate& candidate : all) {
        names.push_back(candidate.name);
        names.emplace_back(lastPart(candidate.name));
    }
    const std::string nearest = nearestWord(word, names);
    std::string message = "'" + toUtf8(word) + "' is neither a file nor a folder nor a checkpoint of the zoo";
    if (!nearest.empty())
        message += "; did you mean '" + nearest + "'?";
    else if (!all.empty())
        message += " (there: " + listed(all) + ")";
    else
        message += ", which is empty";
    return {ErrorKind::NotFound, message};
}

} // namespace

Result<fs::path> findCheckpoint(std::string_view word, const std::vector<fs::path>& folders)
{
    std::error_code code;
    if (!word.empty() && fs::exists(fs::symlink_status(fs::path(word), code)))
        return fs::path(word);
    std::vector<ZooCandidate> all;
    for (const fs::path& folder : folders)
        for (ZooCandidate& candidate : findCandidates(folder).found)
            all.push_back(std::move(candidate));
    Match best = Match::None;
    for (const ZooCandidate& candidate : all)
        best = std::max(best, matchOf(candidate, word));
    if (best == Match::None || word.empty())
        return unknown(word, all);
    std::vector<ZooCandidate> matching;
    for (const ZooCandidate& candidate : all) {
        const bool known = std::any_of(matching.begin(), matching.end(),
            [&](const ZooCandidate& m) { return fs::equivalent(m.path, candidate.path, code); });
        if (matchOf(candidate, word) == best && !known)
            matching.push_back(candidate);
    }
    if (matching.size() == 1)
        return matching.front().path;
    return Error{ErrorKind::Invalid,
        "'" + toUtf8(word) + "' could be any of " + std::to_string(matching.size())
            + " checkpoints: " + listed(matching)};
}

} // namespace loadlab
