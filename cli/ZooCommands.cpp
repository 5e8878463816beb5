#include "cli/CheckpointCard.h"
#include "cli/Commands.h"
#include "cli/Interrupts.h"
#include "cli/Lab.h"
#include "cli/Options.h"
#include "cli/ProgressLine.h"
#include "cli/Table.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/DeepCheck.h"
#include "core/checkpoint/DemoZoo.h"
#include "core/checkpoint/Zoo.h"

#include <nlohmann/json.hpp>
#include <stop_token>

// zoo, inspect, demo-zoo: what lies on disk.

namespace loadlab::cli {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

Table::Cell stateCell(const Checkpoint& checkpoint)
{
    return {std::string(toWireName(checkpoint.state)), paintOf(checkpoint.state)};
}

std::string quantizationWords(const Checkpoint& checkpoint)
{
    if (!checkpoint.quantization)
        return "-";
    const Quantization& quantization = *checkpoint.quantization;
    return quantization.method + (quantization.bits ? " " + std::to_string(*quantization.bits) + " bit" : "");
}

/// A checkpoint of the list, and what reading all of it gave where that was asked for.
struct Listed {
    Checkpoint checkpoint;
    std::optional<DeepReport> deep;
};

json toJson(const Listed& listed)
{
    json object = loadlab::toJson(listed.checkpoint);
    if (listed.deep)
        object["verified"] = toJson(*listed.deep);
    return object;
}

Table tableOf(const std::vector<Listed>& list, const std::optional<fs::path>& folder)
{
    std::vector<Table::Column> columns{{"name", false, true}, {"family", false, false, 2}, {"state"}, {"size", true},
        {"parameters", true, false, 3}, {"quantization", false, false, 1}};
    if (!folder)
        columns.push_back({"path"});
    Table table(std::move(columns));
    for (const Listed& listed : list) {
        const Checkpoint& checkpoint = listed.checkpoint;
        std::vector<Table::Cell> cells{checkpoint.name, checkpoint.family.empty() ? "-" : checkpoint.family,
            stateCell(checkpoint), formatSize(checkpoint.weightBytes), formatParameters(checkpoint.parameters),
            quantizationWords(checkpoint)};
        if (!folder)
            cells.emplace_back(checkpoint.path.string());
        table.add(std::move(cells));
    }
    return table;
}

/// What is wrong stands below the table, so that a look at the list is enough to know what to fetch again.
void printProblems(Output& out, const std::vector<Listed>& list)
{
    for (const Listed& listed : list)
        for (const Problem& problem : listed.checkpoint.problems)
            out.printLine(printable(listed.checkpoint.name) + ": "
                + (problem.file.empty() ? "" : printable(problem.file) + ": ") + printable(problem.text));
}

/// The folders to look into: the command's own, else those of the lab. A word that names no folder is wrong usage.
Result<std::vector<fs::path>> foldersToScan(Lab& lab, const Words& words)
{
    if (words.operands.empty() && !words.has("--zoo"))
        return lab.zooFolders();
    std::vector<fs::path> folders(words.operands.begin(), words.operands.end());
    if (folders.empty())
        folders = lab.zooFolders();
    for (const fs::path& folder : folders)
        if (std::error_code ignored; !fs::is_directory(folder, ignored))
            return Error{ErrorKind::Invalid, inQuotes(folder.string()) + " is no folder that could hold checkpoints."};
    return folders;
}

int nothingFound(Lab& lab, const std::vector<fs::path>& folders)
{
    std::string where;
    for (const fs::path& folder : folders)
        where += (where.empty() ? "" : ", ") + toUtf8(folder.string());
    lab.out.note(
        "no checkpoints in " + where + ". Name a folder (loadlab zoo DIR), or make some to try: loadlab demo-zoo DIR");
    return kDone;
}

std::vector<ZooFolder> scan(Lab& lab, const std::vector<fs::path>& folders, const std::stop_token& stop)
{
    ProgressLine progress(lab.out, !lab.json);
    std::size_t seen = 0;
    return scanZoo(
        folders, lab.families(),
        [&](const fs::path&, const Checkpoint& checkpoint) {
            progress.show(formatCount(++seen, "checkpoint") + ", " + printable(checkpoint.name));
        },
        stop);
}

/// All of them in one list. What could not be looked into is said.
std::vector<Listed> listOf(Lab& lab, const Words& words, const std::vector<ZooFolder>& found)
{
    const bool asked = !words.operands.empty() || words.has("--zoo");
    std::vector<Listed> list;
    for (const ZooFolder& folder : found) {
        // The default folders need not be there.
        if (folder.error && (asked || folder.error->kind != ErrorKind::NotFound))
            lab.out.error(folder.error->message);
        for (const Checkpoint& checkpoint : folder.checkpoints)
            list.push_back({checkpoint, std::nullopt});
    }
    return list;
}

/// Reads every byte of every checkpoint, with progress.
void checkDeeply(Lab& lab, std::vector<Listed>& list, const std::stop_token& stop)
{
    ProgressLine progress(lab.out, !lab.json);
    ByteRate rate;
    std::uint64_t total = 0;
    for (const Listed& listed : list)
        total += deepBytes(listed.checkpoint);
    std::uint64_t done = 0;
    for (Listed& listed : list)
        listed.deep = deepCheck(
            listed.checkpoint,
            [&](std::uint64_t bytes) {
                done += bytes;
                rate.update(std::chrono::steady_clock::now(), done);
                progress.show(rate.words(total, 20) + "  " + printable(listed.checkpoint.name));
            },
            stop);
}

/// What --verify deep has read, as a note: the table says what came of it.
void noteWhatWasRead(Output& out, const std::vector<Listed>& list)
{
    DeepReport all;
    for (const Listed& listed : list) {
        const DeepReport one = listed.deep.value_or(DeepReport());
        all.files += one.files;
        all.hashed += one.hashed;
        all.bytes += one.bytes;
    }
    out.note("read " + formatCount(all.files, "file") + " whole, " + formatSize(all.bytes) + "; "
        + formatCount(all.hashed) + " of them compared with the hub's SHA-256");
}

void printList(Output& out, const std::vector<ZooFolder>& folders, const std::vector<Listed>& list)
{
    if (list.empty())
        return;
    if (!out.isTerminal()) {
        tableOf(list, std::nullopt).printTo(out);
        return;
    }
    auto from = list.begin();
    for (const ZooFolder& folder : folders) {
        const auto to = from + static_cast<std::ptrdiff_t>(folder.checkpoints.size());
        if (from != to) {
            out.printLine(out.painted(Paint::Strong, printable(folder.path.string())));
            tableOf({from, to}, folder.path).printTo(out);
            out.printLine("");
        }
        from = to;
    }
    printProblems(out, list);
}

} // namespace

int zoo(Lab& lab, const Words& words)
{
    const Result<std::vector<fs::path>> folders = foldersToScan(lab, words);
    if (!folders)
        return lab.wrongUsage(folders.error().message);
    const StopAtInterrupt stop;
    const std::vector<ZooFolder> found = scan(lab, *folders, stop.token());
    const bool deep = words.value("--verify") == "deep";
    std::vector<Listed> list = listOf(lab, words, found);
    if (deep)
        checkDeeply(lab, list, stop.token());
    if (stop.happened())
        return kCancelled;
    if (lab.json) {
        json document = json::array();
        for (const Listed& listed : list)
            document.push_back(toJson(listed));
        lab.out.printJson(document);
    } else {
        printList(lab.out, found, list);
    }
    if (deep && !list.empty())
        noteWhatWasRead(lab.out, list);
    return list.empty() ? nothingFound(lab, *folders) : static_cast<int>(kDone);
}

int inspect(Lab& lab, const Words& words)
{
    const std::string& word = words.operands.front();
    const Result<fs::path> path = findCheckpoint(word, lab.zooFolders());
    if (!path)
        return path.error().kind == ErrorKind::Io ? lab.failed(path.error()) : lab.wrongUsage(path.error().message);
    const StopAtInterrupt stop;
    InspectOptions options;
    options.stop = stop.token();
    const Result<Checkpoint> checkpoint = inspectCheckpoint(*path, lab.families(), options);
    if (!checkpoint)
        return checkpoint.error().kind == ErrorKind::NotFound ? lab.wrongUsage(checkpoint.error().message)
                                                              : lab.failed(checkpoint.error());
    if (lab.json)
        lab.out.printJson(loadlab::toJson(*checkpoint));
    else
        printCheckpoint(lab.out, *checkpoint);
    return kDone;
}

int demoZoo(Lab& lab, const Words& words)
{
    DemoZooOptions options;
    if (const auto size = words.value("--size"))
        options.goodSizeBytes = *parseSize(*size);
    const StopAtInterrupt stop;
    ProgressLine progress(lab.out, !lab.json);
    ByteRate rate;
    const Result<std::vector<fs::path>> made = makeDemoZoo(
        fs::absolute(words.operands.front()), options,
        [&](const DemoZooProgress& at) {
            rate.update(std::chrono::steady_clock::now(), at.doneBytes);
            progress.show(rate.words(at.totalBytes, 20) + "  " + printable(at.checkpoint));
        },
        stop.token());
    progress.clear();
    if (!made)
        return lab.failed(made.error());
    json list = json::array();
    for (const fs::path& folder : *made) {
        list.push_back(toUtf8(folder.string()));
        if (!lab.json)
            lab.out.printPath(folder);
    }
    if (lab.json)
        lab.out.printJson({{"folder", toUtf8(fs::absolute(words.operands.front()).string())}, {"checkpoints", list}});
    else
        lab.out.note("to try one: loadlab run " + toUtf8(made->front().string()) + " --dtype float32");
    return kDone;
}

} // namespace loadlab::cli
