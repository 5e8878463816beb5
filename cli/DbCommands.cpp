#include "cli/Commands.h"
#include "cli/Interrupts.h"
#include "cli/Lab.h"
#include "cli/Options.h"
#include "core/Text.h"
#include "core/Units.h"

#include <nlohmann/json.hpp>

// db check, db backup: the database itself.

namespace loadlab::cli {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

int noDatabase(Lab& lab)
{
    lab.out.error("there is no database " + toUtf8(lab.database.string())
        + " yet: the first 'loadlab run CHECKPOINT' makes it. Another one is named by --db FILE.");
    return kLabCannot;
}

} // namespace

int dbCheck(Lab& lab, const Words&)
{
    const Result<RunStore> store = lab.openHistory();
    if (!store)
        return store.error().kind == ErrorKind::NotFound ? noDatabase(lab) : lab.failed(store.error());
    const Result<DatabaseCheck> check = store->check();
    if (!check)
        return lab.failed(check.error());
    const std::string file = toUtf8(lab.database.string());
    if (lab.json) {
        lab.out.printJson({{"file", file}, {"ok", check->ok}, {"schema", check->schema}, {"runs", check->runs},
            {"size_bytes", check->sizeBytes}, {"findings", check->findings}});
    } else {
        lab.out.printLine(lab.out.painted(check->ok ? Paint::Good : Paint::Bad, check->ok ? "sound" : "damaged") + "  "
            + printable(file) + ": " + formatCount(check->runs, "run") + ", " + formatSize(check->sizeBytes)
            + ", schema " + std::to_string(check->schema));
        for (const std::string& finding : check->findings)
            lab.out.printLine("  " + printable(finding));
    }
    return check->ok ? kDone : kFailed;
}

int dbBackup(Lab& lab, const Words& words)
{
    const fs::path file = fs::absolute(words.operands.front());
    if (std::error_code ignored; fs::exists(fs::symlink_status(file, ignored))) {
        lab.out.error(
            inQuotes(file.string()) + " is already there, and a backup is never overwritten: name another file.");
        return kLabCannot;
    }
    const Result<RunStore> store = lab.openHistory();
    if (!store)
        return store.error().kind == ErrorKind::NotFound ? noDatabase(lab) : lab.failed(store.error());
    const StopAtInterrupt stop;
    if (const Result<void> done = store->backupTo(file, stop.token()); !done)
        return lab.failed(done.error());
    std::error_code ignored;
    const std::uintmax_t size = fs::file_size(file, ignored);
    if (lab.json)
        lab.out.printJson({{"file", toUtf8(file.string())}, {"size_bytes", size}});
    else
        lab.out.printLine(lab.out.shown(file.native()) + "  " + formatSize(size));
    return kDone;
}

} // namespace loadlab::cli
