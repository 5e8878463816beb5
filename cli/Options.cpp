#include "cli/Options.h"

#include "core/Text.h"

#include <algorithm>

namespace loadlab::cli {
namespace {

Error wrongUsage(std::string message)
{
    return {ErrorKind::Invalid, std::move(message)};
}

/// "db" of "db check"; the whole name of a command of one word.
std::string_view firstWord(std::string_view name)
{
    return name.substr(0, name.find(' '));
}

std::string_view secondWord(std::string_view name)
{
    const std::size_t space = name.find(' ');
    return space == std::string_view::npos ? std::string_view() : name.substr(space + 1);
}

const OptionSpec* findOption(std::span<const OptionSpec> options, std::string_view name)
{
    const auto found = std::ranges::find(options, name, &OptionSpec::name);
    return found == options.end() ? nullptr : &*found;
}

std::string seeHelp(const CommandSpec* command)
{
    return "\nSee 'loadlab " + (command ? std::string(command->name) + " " : std::string()) + "--help'.";
}

/// Walks over the words once. Everything is judged in the order typed, so the first wrong word is the one reported.
class Parser {
public:
    Result<Words> parse(std::span<const std::string> arguments)
    {
        const auto cut = std::ranges::find(arguments, "--");
        m_arguments = arguments.first(static_cast<std::size_t>(cut - arguments.begin()));
        m_hasProgram = cut != arguments.end();
        if (m_hasProgram)
            m_words.program.assign(cut + 1, arguments.end());
        while (m_next < m_arguments.size() && !m_words.helpAsked) {
            const std::string& word = m_arguments[m_next++];
            const Result<void> taken = word.size() > 1 && word.front() == '-' ? takeOption(word) : takeWord(word);
            if (!taken)
                return taken.error();
        }
        m_words.helpAsked = m_words.helpAsked || m_helpWord;
        m_words.group = m_words.command ? std::string_view() : m_group;
        if (!m_words.helpAsked && !m_words.versionAsked)
            if (const Result<void> whole = checkWhole(); !whole)
                return whole.error();
        return std::move(m_words);
    }

private:
    Result<void> takeWord(const std::string& word)
    {
        if (!m_words.command)
            return takeCommand(word);
        const CommandSpec& command = *m_words.command;
        if (m_words.operands.size() >= command.maxOperands)
            return wrongUsage(inQuotes(word) + " is one word too many: '" + std::string(command.name) + "' takes "
                + (command.operands.empty() ? "no words" : std::string(command.operands)) + "." + seeHelp(&command));
        if (command.operandCheck)
            if (const Result<void> good = command.operandCheck(word); !good)
                return wrongUsage(good.error().message + seeHelp(&command));
        if (word.empty())
            return wrongUsage("'' is no " + std::string(command.operands) + ": it is empty." + seeHelp(&command));
        m_words.operands.push_back(word);
        return {};
    }

    Result<void> takeCommand(const std::string& word)
    {
        if (word == "help" && m_group.empty() && !m_helpWord) {
            m_helpWord = true; // 'help run' is 'run --help'.
            return {};
        }
        std::vector<std::string> candidates;
        for (const CommandSpec& command : commandTable()) {
            const std::string_view wanted = m_group.empty() ? firstWord(command.name) : secondWord(command.name);
            if (!m_group.empty() && firstWord(command.name) != m_group)
                continue;
            if (wanted == word && (!m_group.empty() || secondWord(command.name).empty())) {
                m_words.command = &command;
                return {};
            }
            if (wanted == word) {
                m_group = wanted;
                return {};
            }
            if (std::ranges::find(candidates, wanted) == candidates.end())
                candidates.emplace_back(wanted);
        }
        const std::string where = m_group.empty() ? "of loadlab" : "of 'loadlab " + std::string(m_group) + "'";
        return wrongUsage(
            inQuotes(word) + " is no command " + where + "." + nearestHint(word, candidates) + seeHelp(nullptr));
    }

    Result<void> takeOption(const std::string& word)
    {
        const std::size_t equals = word.find('=');
        const std::string_view name = std::string_view(word).substr(0, equals);
        if (name == "--help" || name == "-h") {
            m_words.helpAsked = true;
            return {};
        }
        const OptionSpec* option = findOption(globalOptions(), name);
        if (!option && m_words.command)
            option = findOption(m_words.command->options, name);
        if (!option)
            return unknownOption(word, name);
        if (option->placeholder.empty())
            return takeFlag(*option, word, equals);
        return takeValue(*option, word, equals);
    }

    Result<void> takeFlag(const OptionSpec& option, const std::string& word, std::size_t equals)
    {
        if (equals != std::string::npos)
            return wrongUsage(
                inQuotes(word) + ": " + std::string(option.name) + " takes no value." + seeHelp(m_words.command));
        if (option.name == "--version")
            m_words.versionAsked = true;
        m_words.add(option.name, {});
        return {};
    }

    Result<void> takeValue(const OptionSpec& option, const std::string& word, std::size_t equals)
    {
        const std::string name(option.name);
        const std::string wants = name + " " + std::string(option.placeholder);
        const bool attached = equals != std::string::npos;
        if (!attached && m_next >= m_arguments.size())
            return wrongUsage(inQuotes(word) + " lacks its value: " + wants + "." + seeHelp(m_words.command));
        const std::string value = attached ? word.substr(equals + 1) : m_arguments[m_next++];
        if (value.empty())
            return wrongUsage(name + ": '' is an empty value: " + wants + "." + seeHelp(m_words.command));
        if (option.check)
            if (const Result<void> good = option.check(value); !good)
                return wrongUsage(name + ": " + good.error().message + seeHelp(m_words.command));
        if (!attached && value.front() == '-')
            return wrongUsage(name + ": " + inQuotes(value) + " is no " + std::string(option.placeholder)
                + ": a value that begins with '-' is written " + name + "=" + value + "." + seeHelp(m_words.command));
        if (m_words.has(option.name) && !option.repeatable)
            return wrongUsage(inQuotes(name) + " is given twice: " + inQuotes(*m_words.value(option.name)) + " and "
                + inQuotes(value) + ". Leave one." + seeHelp(m_words.command));
        m_words.add(option.name, value);
        return {};
    }

    Result<void> unknownOption(const std::string& word, std::string_view name) const
    {
        std::vector<std::string> candidates;
        for (const OptionSpec& option : globalOptions())
            candidates.emplace_back(option.name);
        if (m_words.command) {
            for (const OptionSpec& option : m_words.command->options)
                candidates.emplace_back(option.name);
            return wrongUsage(inQuotes(word) + " is no option of '" + std::string(m_words.command->name) + "'."
                + nearestHint(name, candidates) + seeHelp(m_words.command));
        }
        for (const CommandSpec& command : commandTable())
            if (findOption(command.options, name))
                return wrongUsage(inQuotes(word)
                    + " stands before the command, where only global options may stand: write 'loadlab "
                    + std::string(command.name) + " … " + std::string(name) + "'." + seeHelp(&command));
        return wrongUsage(
            inQuotes(word) + " is no option of loadlab." + nearestHint(name, candidates) + seeHelp(nullptr));
    }

    Result<void> checkWhole() const
    {
        if (!m_words.command)
            return missingCommand();
        const CommandSpec& command = *m_words.command;
        if (m_hasProgram && !command.takesProgram) {
            const std::string first = m_words.program.empty() ? "--" : m_words.program.front();
            return wrongUsage(inQuotes(first) + ": '" + std::string(command.name)
                + "' takes no program after '--' (a file whose name begins with '-' is written ./-name)."
                + seeHelp(&command));
        }
        if (m_words.operands.size() < command.minOperands)
            return wrongUsage("'" + std::string(command.name) + "' lacks a word: loadlab " + std::string(command.name)
                + " " + std::string(command.operands) + seeHelp(&command));
        for (const OptionSpec& option : command.options)
            if (option.required && !m_words.has(option.name))
                return wrongUsage("'" + std::string(command.name) + "' lacks " + inQuotes(option.name) + " "
                    + std::string(option.placeholder) + "." + seeHelp(&command));
        return {};
    }

    Result<void> missingCommand() const
    {
        std::string known;
        for (const CommandSpec& command : commandTable()) {
            if (!m_group.empty() && firstWord(command.name) != m_group)
                continue;
            const std::string_view word = m_group.empty() ? firstWord(command.name) : secondWord(command.name);
            if (!known.ends_with(word))
                known += (known.empty() ? "" : ", ") + std::string(word);
        }
        const std::string what
            = m_group.empty() ? "no command given" : "'" + std::string(m_group) + "' lacks its second word";
        return wrongUsage(what + ". It is one of: " + known + "." + seeHelp(nullptr));
    }

    std::span<const std::string> m_arguments;
    std::size_t m_next = 0;
    std::string_view m_group; ///< First word of a command of two, until the second came.
    bool m_hasProgram = false;
    bool m_helpWord = false;
    Words m_words;
};

} // namespace

bool Words::has(std::string_view option) const
{
    return m_options.contains(option);
}

std::optional<std::string_view> Words::value(std::string_view option) const
{
    const auto found = m_options.find(option);
    return found == m_options.end() ? std::nullopt : std::optional<std::string_view>(found->second.front());
}

std::span<const std::string> Words::values(std::string_view option) const
{
    const auto found = m_options.find(option);
    return found == m_options.end() ? std::span<const std::string>() : std::span<const std::string>(found->second);
}

void Words::add(std::string_view option, std::string value)
{
    m_options[option].push_back(std::move(value));
}

Result<Words> parseWords(std::span<const std::string> arguments)
{
    return Parser().parse(arguments);
}

std::string inQuotes(std::string_view word)
{
    return "'" + toUtf8(word) + "'";
}

} // namespace loadlab::cli
