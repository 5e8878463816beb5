#include "cli/Help.h"

#include "cli/Options.h"
#include "cli/Output.h"

#include <algorithm>

namespace loadlab::cli {
namespace {

struct Row {
    std::string left;
    std::string right;
};

std::string twoColumns(const std::vector<Row>& rows)
{
    std::size_t width = 0;
    for (const Row& row : rows)
        width = std::max(width, displayWidth(row.left));
    std::string text;
    for (const Row& row : rows)
        text += "  " + row.left + std::string(width - displayWidth(row.left) + 2, ' ') + row.right + "\n";
    return text;
}

std::string optionList(std::span<const OptionSpec> options)
{
    std::vector<Row> rows;
    for (const OptionSpec& option : options)
        rows.push_back(
            {std::string(option.name) + (option.placeholder.empty() ? "" : " " + std::string(option.placeholder)),
                std::string(option.help)});
    return twoColumns(rows);
}

std::string indented(std::string_view lines)
{
    std::string text = "  ";
    for (const char c : lines)
        text += c == '\n' ? std::string("\n  ") : std::string(1, c);
    return text + "\n";
}

std::string usageOf(const CommandSpec& command)
{
    std::string usage = std::string(command.name);
    if (!command.operands.empty())
        usage += command.minOperands == 0 && !command.takesProgram ? " [" + std::string(command.operands) + "]"
                                                                   : " " + std::string(command.operands);
    for (const OptionSpec& option : command.options)
        if (option.required)
            usage += " " + std::string(option.name) + " " + std::string(option.placeholder);
    return usage;
}

} // namespace

std::string generalHelp()
{
    std::vector<Row> rows;
    for (const CommandSpec& command : commandTable())
        rows.push_back({usageOf(command), std::string(command.summary)});
    return "loadlab: loads model checkpoints under observation and says what came of it.\n\n"
           "Usage: loadlab [global options] COMMAND …\n\nCommands:\n"
        + twoColumns(rows) + "\nGlobal options, before or after the command:\n" + optionList(globalOptions())
        + "\nFirst steps:\n"
          "  loadlab demo-zoo ~/demo                                    makes checkpoints to try things on\n"
          "  loadlab run ~/demo/qwen2.5-0.5b-standin --dtype float32    one trial\n"
          "  loadlab runs                                               what was tried so far\n"
          "\nExit codes: 0 done (a run: ok), 1 failure verdict, 2 wrong usage, 3 the lab could not do it, 130 "
          "cancelled.\n";
}

std::string groupHelp(std::string_view group)
{
    std::vector<Row> rows;
    for (const CommandSpec& command : commandTable())
        if (command.name.starts_with(std::string(group) + " "))
            rows.push_back({usageOf(command), std::string(command.summary)});
    return "Usage: loadlab [global options] " + std::string(group) + " COMMAND …\n\nCommands:\n" + twoColumns(rows)
        + "\nMore: loadlab help " + std::string(group) + " COMMAND\n";
}

std::string commandHelp(const CommandSpec& command)
{
    std::string text = std::string(command.summary) + "\n\nUsage: loadlab " + usageOf(command)
        + (command.options.empty() ? "" : " [options]") + "\n\n" + std::string(command.details) + "\n";
    if (!command.options.empty())
        text += "\nOptions:\n" + optionList(command.options);
    text += "\nGlobal options:\n" + optionList(globalOptions());
    return text + "\nExamples:\n" + indented(command.examples);
}

} // namespace loadlab::cli
