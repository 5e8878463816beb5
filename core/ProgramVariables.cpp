#include "core/ProgramVariables.h"

#include "core/Text.h"

#include <algorithm>
#include <array>
#include <optional>

namespace loadlab {
namespace {

constexpr std::string_view kLabsOwn = "LOADLAB_RUN"; ///< Leftovers are known by it.

Error invalid(std::string message)
{
    return {ErrorKind::Invalid, std::move(message)};
}

struct Part {
    std::size_t from = 0;
    std::size_t length = 0;
};

/// The password of the first URL from there on that has one: "scheme://user:PASSWORD@host/…". Who stands alone before
/// the '@' of a web address is a token: "https://TOKEN@host".
std::optional<Part> findPassword(std::string_view value, std::size_t from)
{
    constexpr std::string_view opening = "://";
    for (auto at = value.find(opening, from); at != value.npos; at = value.find(opening, at)) {
        const std::string_view before = value.substr(0, at);
        at += opening.size();
        const std::string_view authority = value.substr(at, value.find_first_of("/?#", at) - at);
        const std::size_t end = authority.rfind('@');
        const std::size_t colon = authority.find(':');
        if (end == authority.npos || end == 0)
            continue;
        if (colon < end && colon + 1 < end)
            return Part{at + colon + 1, end - colon - 1};
        if (colon > end && (before.ends_with("http") || before.ends_with("https")))
            return Part{at, end};
    }
    return std::nullopt;
}

/// The value of the first parameter from there on whose name is a secret's: "?token=…", "&api_key=…".
std::optional<Part> findParameter(std::string_view value, std::size_t from)
{
    for (auto at = value.find_first_of("?&", from); at != value.npos; at = value.find_first_of("?&", at + 1)) {
        const std::size_t end = std::min(value.find_first_of("&# ", at + 1), value.size());
        const std::size_t equals = value.find('=', at);
        if (equals < end && equals + 1 < end && isSecret(value.substr(at + 1, equals - at - 1)))
            return Part{equals + 1, end - equals - 1};
    }
    return std::nullopt;
}

std::optional<Part> findSecret(std::string_view value, std::size_t from)
{
    const auto password = findPassword(value, from);
    const auto parameter = findParameter(value, from);
    return password && (!parameter || password->from < parameter->from) ? password : parameter;
}

bool isMasked(std::string_view name, std::string_view value)
{
    if (isSecret(name) && value == kMasked)
        return true;
    auto secret = findSecret(value, 0);
    while (secret && value.substr(secret->from, secret->length) != kMasked)
        secret = findSecret(value, secret->from + secret->length);
    return secret.has_value();
}

} // namespace

bool isSecret(std::string_view name)
{
    static constexpr std::array<std::string_view, 7> anywhere{
        "TOKEN", "SECRET", "PASSW", "PASSPHRASE", "CREDENTIAL", "COOKIE", "AUTHORIZATION"};
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(),
        [](char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter; });
    const bool isFolder = upper == "PWD" || upper == "OLDPWD";
    return upper.ends_with("KEY") || upper.ends_with("AUTH") || upper.ends_with("_PAT") || upper.ends_with("PASS")
        || (upper.ends_with("PWD") && !isFolder) || std::ranges::any_of(anywhere, [&upper](std::string_view word) {
               return upper.find(word) != std::string::npos;
           });
}

Result<ProgramVariables> parseVariables(const std::vector<std::string>& words)
{
    ProgramVariables variables;
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const std::string quoted = "'" + toUtf8(name) + "'";
        if (equals == std::string::npos)
            return invalid(quoted + " has no '=': a variable is NAME=VALUE, 'two words' in quotes");
        if (name.empty())
            return invalid("before a '=' the name is missing: a variable is NAME=VALUE");
        if (word.find('\0') != std::string::npos)
            return invalid("the variable " + quoted + " holds a NUL, which ends a variable");
        if (name == kLabsOwn)
            return invalid(quoted + " is the lab's own: it knows a run's processes by it");
        if (!variables.emplace(name, word.substr(equals + 1)).second)
            return invalid("the variable " + quoted + " is given twice: leave one");
    }
    return variables;
}

std::string shownValue(std::string_view name, std::string_view value)
{
    if (isSecret(name))
        return std::string(kMasked);
    std::string shown(value);
    for (auto secret = findSecret(shown, 0); secret; secret = findSecret(shown, secret->from + kMasked.size()))
        shown.replace(secret->from, secret->length, kMasked);
    return shown;
}

Result<void> checkSecretsKnown(const ProgramVariables& variables)
{
    for (const auto& [name, value] : variables)
        if (isMasked(name, value))
            return invalid("the value of '" + toUtf8(name) + "' is not stored "
                + (isSecret(name) ? "(by its name it is a secret)" : "whole (it holds a password)")
                + ": type it again");
    return {};
}

std::vector<std::string> shownVariables(const ProgramVariables& variables)
{
    std::vector<std::string> shown;
    for (const auto& [name, value] : variables)
        shown.push_back(name + "=" + shownValue(name, value));
    return shown;
}

} // namespace loadlab
