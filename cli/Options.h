#pragma once

#include "core/Result.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab::cli {

/// Looks at one value as typed. Invalid quotes it and names what is right; nothing is opened for it.
using Check = Result<void> (*)(std::string_view value);

/// One option as data: parsing, checking and help all read this.
struct OptionSpec {
    std::string_view name; ///< "--timeout"
    std::string_view placeholder; ///< "DURATION"; empty: a flag that takes no value.
    std::string_view help; ///< One line.
    Check check = nullptr; ///< Nothing: any text that is not empty.
    bool required = false; ///< The command cannot do without.
    bool repeatable = false; ///< Else a second one is wrong usage: which of the two was meant?
};

/// One command as data.
struct CommandSpec {
    std::string_view name; ///< "run"; "db check" for a command of two words.
    std::string_view operands{}; ///< As usage shows them: "CHECKPOINT", "RUN…"; empty: none.
    std::size_t minOperands = 0;
    std::size_t maxOperands = 0;
    Check operandCheck = nullptr;
    std::span<const OptionSpec> options{};
    std::string_view summary; ///< One line.
    std::string_view details; ///< Paragraphs for its own help.
    std::string_view examples; ///< Lines, each a command that can be typed.
    bool takesProgram = false; ///< `-- PROGRAM ARG…` may follow.
};

inline constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

/// Every command of this program (cli/CommandTable.cpp).
std::span<const CommandSpec> commandTable();
/// Options that may stand before or after the command.
std::span<const OptionSpec> globalOptions();

/// The command line, taken apart: every word is known, in its place, and passed its check.
class Words {
public:
    const CommandSpec* command = nullptr; ///< Nothing where only help or version was asked for.
    std::vector<std::string> operands; ///< Bytes, as typed.
    std::vector<std::string> program; ///< What stood after `--`, unchanged.
    std::string_view group; ///< "db": its help was asked for as a whole.
    bool helpAsked = false;
    bool versionAsked = false;

    [[nodiscard]] bool has(std::string_view option) const;
    /// The value of an option that is not repeatable; nothing when it was not given.
    [[nodiscard]] std::optional<std::string_view> value(std::string_view option) const;
    /// All values of a repeatable option, in the order given.
    [[nodiscard]] std::span<const std::string> values(std::string_view option) const;

    void add(std::string_view option, std::string value);

private:
    std::map<std::string_view, std::vector<std::string>> m_options;
};

/// Takes argv (without the program's name) apart. Invalid is wrong usage: the message quotes the word as typed, names
/// the nearest right one and where to read more. Opens nothing, prints nothing.
///
/// This is no general parser on purpose. The promise (docs/CLI.md) is that a value beginning with '-' is a wrong value
/// and not a missing one, that JSON and `[a,b]` arrive unchanged, that words are bytes, that global options stand
/// anywhere, and that every message names the nearest right word. CLI11 2.1 takes `--timeout -5s` for a missing value
/// and splits `[a,b]`; working around it took more code than reading a table.
Result<Words> parseWords(std::span<const std::string> arguments);

/// The word in quotes, as it stands in every message.
std::string inQuotes(std::string_view word);

} // namespace loadlab::cli
