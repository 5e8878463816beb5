#pragma once

namespace loadlab::cli {

class Lab;
class Words;

// One function per command: prints, and returns the exit code (docs/CLI.md). The words have passed every check of
// cli/CommandTable.cpp; what needs the manifests or the database to be judged is judged first thing.
int doctor(Lab& lab, const Words& words);
int backends(Lab& lab, const Words& words);
int zoo(Lab& lab, const Words& words);
int inspect(Lab& lab, const Words& words);
int run(Lab& lab, const Words& words);
int runs(Lab& lab, const Words& words);
int show(Lab& lab, const Words& words);
int log(Lab& lab, const Words& words);
int samples(Lab& lab, const Words& words);
int exportRuns(Lab& lab, const Words& words);
int forecast(Lab& lab, const Words& words);
int demoZoo(Lab& lab, const Words& words);
int dbCheck(Lab& lab, const Words& words);
int dbBackup(Lab& lab, const Words& words);

} // namespace loadlab::cli
