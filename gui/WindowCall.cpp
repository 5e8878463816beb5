#include "gui/WindowCall.h"

#include "core/Text.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSeeHelp = "\nSee 'loadlab-gui --help'.";

/// Options that QApplication takes for itself (Qt: "Supported Command Line Options"), with one dash or two.
struct QtOption {
    std::string_view name;
    bool takesValue = true;
    bool choosesPlatform = false;
};
constexpr std::array kQtOptions{
    QtOption{"platform", true, true},
    QtOption{"display", true, true},
    QtOption{"platformpluginpath"},
    QtOption{"platformtheme"},
    QtOption{"plugin"},
    QtOption{"geometry"},
    QtOption{"qwindowgeometry"},
    QtOption{"icon"},
    QtOption{"qwindowicon"},
    QtOption{"title"},
    QtOption{"qwindowtitle"},
    QtOption{"session"},
    QtOption{"style"},
    QtOption{"stylesheet"},
    QtOption{"reverse", false},
    QtOption{"widgetcount", false},
    QtOption{"nograb", false},
    QtOption{"dograb", false},
    QtOption{"sync", false},
};

std::string inQuotes(std::string_view word)
{
    return "'" + toUtf8(word) + "'";
}

Error wrongUsage(const std::string& what)
{
    return {ErrorKind::Invalid, what + std::string(kSeeHelp)};
}

class Parser {
public:
    explicit Parser(std::span<const std::string> arguments)
        : m_arguments(arguments)
    {
    }

    Result<WindowCall> parse()
    {
        while (m_next < m_arguments.size() && !m_call.helpAsked && !m_call.versionAsked)
            if (const Result<void> taken = take(m_arguments[m_next++]); !taken)
                return taken.error();
        return std::move(m_call);
    }

private:
    Result<void> take(const std::string& word)
    {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        if (name == "--help" || name == "-h" || name == "--version" || name == "-v") {
            (name == "--help" || name == "-h" ? m_call.helpAsked : m_call.versionAsked) = true;
            return {};
        }
        if (name == "--db" || name == "--render")
            return takePath(word, name, "FILE", name == "--db" ? m_call.database : m_call.renderJob);
        if (name == "--zoo" || name == "--add-zoo")
            return takeFolder(word, name, name == "--zoo" ? m_call.zooFolders : m_call.addedFolders);
        if (const QtOption* option = qtOption(name)) {
            m_call.platformChosen = m_call.platformChosen || option->choosesPlatform;
            m_next += option->takesValue && equals == std::string::npos ? 1 : 0;
            return {};
        }
        if (word.starts_with('-') && word.size() > 1)
            return wrongUsage(inQuotes(word) + " is no option of loadlab-gui."
                + nearestHint(name, {"--db", "--zoo", "--add-zoo", "--render", "--help", "--version"}));
        return wrongUsage(
            inQuotes(word) + ": loadlab-gui takes options only. A folder with checkpoints is given as --zoo DIR.");
    }

    static const QtOption* qtOption(std::string_view name)
    {
        if (!name.starts_with('-'))
            return nullptr;
        name.remove_prefix(name.starts_with("--") ? 2 : 1);
        const auto found = std::ranges::find(kQtOptions, name, &QtOption::name);
        return found == kQtOptions.end() ? nullptr : &*found;
    }

    Result<std::string> valueOf(const std::string& word, const std::string& name, const std::string& placeholder)
    {
        const std::string wants = name + " " + placeholder;
        const std::size_t equals = word.find('=');
        const bool attached = equals != std::string::npos;
        if (!attached && m_next >= m_arguments.size())
            return wrongUsage(inQuotes(word) + " lacks its value: " + wants + ".");
        std::string value = attached ? word.substr(equals + 1) : m_arguments[m_next++];
        if (value.empty())
            return wrongUsage(name + ": '' is an empty value: " + wants + ".");
        if (!attached && value.front() == '-')
            return wrongUsage(name + ": " + inQuotes(value) + " is no " + placeholder
                + ": a value that begins with '-' is written " + name + "=" + toUtf8(value) + ".");
        return value;
    }

    Result<void> takePath(
        const std::string& word, const std::string& name, const std::string& placeholder, std::optional<fs::path>& into)
    {
        const Result<std::string> value = valueOf(word, name, placeholder);
        if (!value)
            return value.error();
        if (into)
            return wrongUsage(inQuotes(name) + " is given twice: " + inQuotes(into->native()) + " and "
                + inQuotes(*value) + ". Leave one.");
        into = *value;
        return {};
    }

    Result<void> takeFolder(const std::string& word, const std::string& name, std::vector<fs::path>& into)
    {
        const Result<std::string> value = valueOf(word, name, "DIR");
        if (!value)
            return value.error();
        if (std::error_code ignored; !fs::is_directory(*value, ignored))
            return wrongUsage(inQuotes(*value) + " is no folder that could hold checkpoints.");
        into.emplace_back(*value);
        return {};
    }

    std::span<const std::string> m_arguments;
    std::size_t m_next = 0;
    WindowCall m_call;
};

} // namespace

Result<WindowCall> parseWindowCall(std::span<const std::string> arguments)
{
    return Parser(arguments).parse();
}

std::string windowHelp()
{
    return R"(loadlab-gui: the window of LoadLab, which loads model checkpoints under observation and says what came of it.

Usage: loadlab-gui [options]

Options:
  --db FILE      The run database (default: $LOADLAB_DB, else $XDG_DATA_HOME/loadlab/runs.sqlite).
  --zoo DIR      A folder that holds checkpoints, instead of the remembered ones; repeatable.
  --add-zoo DIR  A folder that holds checkpoints, remembered from now on beside the others; repeatable.
  --render FILE  Draws one chart as the JSON file says, without a window or a display, and ends.
  --help         This.
  --version      The version.
  -platform NAME, -style NAME and the like are Qt's.

Exit codes: 0 done, 2 wrong usage, 3 the lab could not do it.
Without a display, 'loadlab' does the same on the command line.
)";
}

} // namespace loadlab
