#include "core/ProgramVariables.h"

#include "core/Text.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

constexpr std::string_view kLabsOwn = "LOADLAB_RUN"; ///< Leftovers are known by it.

Error invalid(std::string message)
{
    return {ErrorKind::Invalid, std::move(message)};
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

Result<void> checkSecretsKnown(const ProgramVariables& variables)
{
    for (const auto& [name, value] : variables)
        if (isSecret(name) && value == kMasked)
            return invalid(
                "the value of '" + toUtf8(name) + "' is not stored, by its name it is a secret: type it again");
    return {};
}

std::vector<std::string> shownVariables(const ProgramVariables& variables)
{
    std::vector<std::string> shown;
    for (const auto& [name, value] : variables)
        shown.push_back(name + "=" + (isSecret(name) ? std::string(kMasked) : value));
    return shown;
}

} // namespace loadlab
