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

/// The password of the first URL from there on that has one: "scheme://user:PASSWORD@host/…".
std::optional<Part> findPassword(std::string_view value, std::size_t from)
{
    constexpr std::string_view opening = "://";
    for (auto at = value.find(opening, from); at != value.npos; at = value.find(opening, at)) {
        at += opening.size();
        const std::string_view authority = value.substr(at, value.find_first_of("/?#", at) - at);
        const std::size_t end = authority.rfind('@');
        const std::size_t colon = authority.find(':');
        if (end != authority.npos && colon < end && colon + 1 < end)
            return Part{at + colon + 1, end - colon - 1};
    }
    return std::nullopt;
}

bool isMasked(std::string_view name, std::string_view value)
{
    if (isSecret(name) && value == kMasked)
        return true;
    auto password = findPassword(value, 0);
    while (password && value.substr(password->from, password->length) != kMasked)
        password = findPassword(value, password->from + password->length);
    return password.has_value();
}

} // namespace

bool isSecret(std::string_view name)
{
    static constexpr std::array<std::string_view, 6> anywhere{
        "TOKEN", "SECRET", "PASSW", "PASSPHRASE", "CREDENTIAL", "COOKIE"};
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(),
        [](char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter; });
    const bool isFolder = upper == "PWD" || upper == "OLDPWD";
    return upper.ends_with("KEY") || upper.ends_with("AUTH") || upper.ends_with("_PAT")
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
    for (auto password = findPassword(shown, 0); password;
         password = findPassword(shown, password->from + kMasked.size()))
        shown.replace(password->from, password->length, kMasked);
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
