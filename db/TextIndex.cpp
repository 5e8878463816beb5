#include "db/TextIndex.h"

#include "db/LogText.h"
#include "db/Sqlite.h"

#include <algorithm>
#include <span>

namespace loadlab {
namespace {

constexpr int kPartBits = 24;
constexpr std::size_t kPartBytes = std::size_t{64} << 10;
constexpr std::size_t kPartsPerTransaction = 4;

/// Without terminal escapes: "\e[31mError" would be the word "31mError".
std::string withoutEscapes(std::string_view line)
{
    std::string plain;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] != '\x1b' || at + 1 >= line.size() || line[at + 1] != '[') {
            plain += line[at];
            continue;
        }
        at += 2;
        while (at < line.size() && (line[at] < '@' || line[at] > '~'))
            ++at;
    }
    return plain;
}

Result<std::vector<std::string>> logParts(const sqlite::Connection& database, RunId run)
{
    std::vector<std::string> parts;
    Result<void> read = forEachLogLine(database, run, [&parts](const std::string& line) {
        if (parts.empty() || parts.back().size() >= kPartBytes)
            parts.emplace_back();
        parts.back() += withoutEscapes(line) + "\n";
    });
    if (!read)
        return std::move(read).error();
    return parts;
}

struct Progress {
    std::size_t parts = 0;
    bool done = true;
};

Result<Progress> progressOf(const sqlite::Connection& database, RunId run)
{
    sqlite::Statement row = database.prepare("SELECT text_parts, text_done FROM runs WHERE id = ?");
    const Result<bool> found = row.bind(run.value).step();
    if (!found)
        return found.error();
    Progress progress;
    if (*found) {
        progress.parts = row.count();
        progress.done = row.integer() != 0;
    }
    return progress;
}

/// True: all is done.
Result<bool> indexSome(const sqlite::Connection& database, RunId run, std::span<const std::string> parts)
{
    const Result<Progress> before = progressOf(database, run);
    if (!before || before->done)
        return before ? Result(true) : before.error();
    const std::size_t end = std::min(parts.size(), before->parts + kPartsPerTransaction);
    for (std::size_t i = before->parts; i < end; ++i) {
        const auto part
            = static_cast<TextPart>(static_cast<std::int64_t>(TextPart::FirstOfLog) + static_cast<std::int64_t>(i));
        if (Result<void> done = indexText(database, run, part, parts[i]); !done)
            return std::move(done).error();
    }
    const bool all = end >= parts.size();
    const Result<void> marked = database.update(
        "runs", "id", run.value, {{"text_parts", sqlite::integer(end)}, {"text_done", sqlite::flag(all)}});
    if (!marked)
        return marked.error();
    return all;
}

} // namespace

Result<void> indexText(const sqlite::Connection& database, RunId run, TextPart part, std::string_view text)
{
    const std::int64_t row = (run.value << kPartBits) | static_cast<std::int64_t>(part);
    return database.prepare("INSERT INTO run_text (rowid, text) VALUES (?, ?)").bind(row).bind(text).run();
}

Result<void> indexLog(const sqlite::Connection& database, RunId run)
{
    const Result<std::vector<std::string>> parts = logParts(database, run);
    if (!parts)
        return parts.error();
    // Short, so that a recording process never waits long.
    while (true) {
        Result<void> begun = database.prepare("BEGIN IMMEDIATE").run();
        if (!begun)
            return begun;
        const Result<bool> all = indexSome(database, run, *parts);
        Result<void> ended = all ? database.prepare("COMMIT").run() : all.error();
        if (!ended && database.inTransaction())
            static_cast<void>(database.execute("ROLLBACK"));
        if (!ended || *all)
            return ended;
    }
}

Result<std::vector<std::string>> matchExpressions(std::string_view words)
{
    // The index's own tokenizer decides; a small table of its own shows what it makes of the words.
    const Result<sqlite::Connection> scratch = sqlite::Connection::openInMemory();
    if (!scratch)
        return scratch.error();
    Result<void> made = scratch->execute("CREATE VIRTUAL TABLE words USING fts5(t, content = '', detail = none,"
                                         " tokenize = 'unicode61 remove_diacritics 2');"
                                         "CREATE VIRTUAL TABLE tokens USING fts5vocab(words, row)");
    if (made)
        made = scratch->prepare("INSERT INTO words (rowid, t) VALUES (1, ?)").bind(words).run();
    if (!made)
        return std::move(made).error();
    std::vector<std::string> expressions;
    sqlite::Statement rows = scratch->prepare("SELECT term FROM tokens");
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            return expressions;
        expressions.push_back('"' + rows.text() + "\"*");
    }
}

} // namespace loadlab
