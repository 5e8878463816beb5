// What the lab adds to the wall time of a short run: `loadlab run --backend command -- PROGRAM` against PROGRAM alone,
// in turns, each with its whole process and its database (docs/PERFORMANCE.md). Prints one JSON object, to stderr:
// stdout is loadlab's.
//
//   bench_run [ROUNDS]   15 rounds
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

/// Seconds from start to end; aborts unless it ends with 0.
double timeOf(std::vector<std::string> words)
{
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = -1;
    int status = -1;
    const auto start = std::chrono::steady_clock::now();
    if (::posix_spawn(&child, words.front().c_str(), nullptr, nullptr, arguments.data(), environ) != 0
        || ::waitpid(child, &status, 0) != child || status != 0) {
        std::fprintf(stderr, "%s failed\n", words.front().c_str());
        std::abort();
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values)
{
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

} // namespace

int main(int argc, char** argv)
{
    const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
    std::string folder = std::filesystem::temp_directory_path() / "loadlab-bench-XXXXXX";
    if (!::mkdtemp(folder.data()))
        std::abort();
    const std::string database = folder + "/runs.sqlite";
    const std::vector<std::string> alone{"/bin/sleep", "0.2"};
    std::vector<std::string> watched{LOADLAB_PROGRAM, "--db", database, "--quiet", "run", "--backend", "command", "--"};
    watched.insert(watched.end(), alone.begin(), alone.end());
    std::vector<double> added;
    timeOf(watched); // The first one makes the database.
    for (int i = 0; i < rounds; ++i) {
        const double without = timeOf(alone);
        added.push_back(timeOf(watched) - without);
    }
    std::filesystem::remove_all(folder);
    std::fprintf(stderr, "%s\n",
        nlohmann::json{{"rounds", rounds}, {"added_s", median(added)},
            {"added_s_best", *std::min_element(added.begin(), added.end())},
            {"added_s_worst", *std::max_element(added.begin(), added.end())}}
            .dump(2)
            .c_str());
}
