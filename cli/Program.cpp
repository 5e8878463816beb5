#include "cli/Program.h"

#include "cli/Commands.h"
#include "cli/Help.h"
#include "cli/Lab.h"
#include "cli/Options.h"
#include "cli/Output.h"
#include "core/Version.h"

#include <algorithm>
#include <array>
#include <exception>
#include <nlohmann/json.hpp>

namespace loadlab::cli {
namespace {

struct Handler {
    std::string_view command;
    int (*run)(Lab& lab, const Words& words);
    /// Its words are judged by the manifests first; it closes lost runs itself once they are right.
    bool judgesWordsItself = false;
};

constexpr std::array kHandlers{
    Handler{"doctor", doctor},
    Handler{"backends", backends},
    Handler{"zoo", zoo},
    Handler{"inspect", inspect},
    Handler{"run", run, true},
    Handler{"runs", runs},
    Handler{"show", show},
    Handler{"log", log},
    Handler{"samples", samples},
    Handler{"export", exportRuns},
    Handler{"forecast", forecast},
    Handler{"demo-zoo", demoZoo},
    Handler{"db check", dbCheck},
    Handler{"db backup", dbBackup},
};

int runCommand(Output& out, const Words& words)
{
    if (words.versionAsked && words.has("--json")) {
        out.printJson({{"version", loadlabVersion()}, {"revision", gitRevision()}});
        return kDone;
    }
    if (words.versionAsked) {
        out.printLine("loadlab " + std::string(loadlabVersion()) + " (" + std::string(gitRevision()) + ")");
        return kDone;
    }
    if (words.helpAsked) {
        out.print(words.command       ? commandHelp(*words.command)
                : words.group.empty() ? generalHelp()
                                      : groupHelp(words.group));
        return kDone;
    }
    const auto handler = std::ranges::find(kHandlers, words.command->name, &Handler::command);
    Lab lab(out, words);
    if (!handler->judgesWordsItself)
        lab.closeLostRuns();
    return handler->run(lab, words);
}

} // namespace

int runProgram(const std::vector<std::string>& arguments)
{
    Output out;
    try {
        const Result<Words> words = parseWords(arguments);
        if (!words) {
            out.error(words.error().message);
            return kWrongUsage;
        }
        out.setOptions({.quiet = words->has("--quiet"), .colour = !words->has("--no-color")});
        return out.finish(runCommand(out, *words));
    } catch (const std::exception& error) {
        out.error(std::string("internal error: ") + error.what());
        return out.finish(kLabCannot);
    }
}

} // namespace loadlab::cli
