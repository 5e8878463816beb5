#include "cli/Commands.h"
#include "cli/History.h"
#include "cli/Interrupts.h"
#include "cli/Lab.h"
#include "cli/Options.h"
#include "cli/SaveFile.h"
#include "cli/Values.h"
#include "core/Text.h"
#include "core/curve/CurveText.h"
#include "core/telemetry/Machine.h"
#include "core/worker/Subprocess.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace loadlab::cli {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::chrono::seconds kRenderLimit{60};

struct ExportedRun {
    RunResult result;
    Curve curve;
};

/// A folder of our own below the temporary one; gone with everything in it.
class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::error_code ignored;
        std::string pattern = (fs::temp_directory_path(ignored) / "loadlab-export-XXXXXX").string();
        if (::mkdtemp(pattern.data()))
            m_path = pattern;
    }
    ~TemporaryFolder()
    {
        std::error_code ignored;
        if (!m_path.empty())
            fs::remove_all(m_path, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const fs::path& path() const { return m_path; }

private:
    fs::path m_path;
};

void writeCsvOfRuns(std::ostream& out, const std::vector<ExportedRun>& runs)
{
    if (runs.size() == 1)
        return writeCsv(out, runs.front().curve);
    bool first = true;
    for (const ExportedRun& run : runs) {
        std::istringstream lines(toCsv(run.curve));
        std::string line;
        for (bool header = true; std::getline(lines, line); header = false) {
            if (header && first)
                out << "run," << line << '\n';
            else if (!header)
                out << run.result.run->value << ',' << line << '\n';
        }
        first = false;
    }
}

void writeJsonOfRuns(std::ostream& out, const std::vector<ExportedRun>& runs)
{
    if (runs.size() > 1)
        out << '[';
    for (std::size_t i = 0; i < runs.size(); ++i) {
        out << (i ? ",\n" : "");
        writeJsonWithCurve(out, toJson(runs[i].result).dump(), runs[i].curve);
    }
    out << (runs.size() > 1 ? "]\n" : "\n");
}

Error noWindow(const fs::path& program)
{
    return {ErrorKind::NotFound,
        "SVG and PNG are drawn by loadlab-gui, which is not installed (" + toUtf8(program.string())
            + "). To build it, in LoadLab's source folder: sudo apt-get install qt6-base-dev qt6-charts-dev qt6-svg-dev"
              " libqt6opengl6-dev libgl1-mesa-dev libopengl-dev libxkbcommon-dev && cmake --preset release "
              "-DLOADLAB_GUI=ON"
              " && cmake --build --preset release --target loadlab-gui. CSV and JSON need nothing more."};
}

/// Lets loadlab-gui draw the run and returns the picture's bytes.
Result<std::string> draw(const Lab& lab, const ExportedRun& run, ExportFormat format, const std::stop_token& stop)
{
    const fs::path program = lab.locations.programs / "loadlab-gui";
    if (::access(program.c_str(), X_OK) != 0)
        return noWindow(program);
    const TemporaryFolder folder;
    if (folder.path().empty())
        return Error{ErrorKind::Io, "no folder can be made in the temporary one ($TMPDIR)"};
    const fs::path picture = folder.path() / ("picture." + std::string(toWord(format)));
    const fs::path job = folder.path() / "job.json";
    const MachineInfo machine = readMachine();
    const json settings{{"out", picture.string()}, {"format", toWord(format)}, {"scale", 2},
        {"run", toJson(run.result)}, {"machine", {{"name", machine.hostName}, {"memory_bytes", machine.memoryBytes}}}};
    const Result<void> saved = saveFile(job, [&](std::ostream& out) {
        writeJsonWithCurve(out, settings.dump(-1, ' ', false, json::error_handler_t::replace), run.curve);
    });
    if (!saved)
        return saved.error();
    WorkerCommand command;
    command.program = program;
    command.arguments = {"--render", job.string()};
    command.environment = {{"QT_QPA_PLATFORM", "offscreen"}};
    const Result<ProgramOutput> drawn = runToEnd(std::move(command), kRenderLimit, stop);
    if (!drawn)
        return drawn.error();
    if (drawn->status.code != 0)
        return Error{ErrorKind::Worker,
            "loadlab-gui could not draw it: " + printable(drawn->standardError + drawn->standardOutput)};
    std::ifstream bytes(picture, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(bytes), {});
}

/// One picture shows one run: with several, the run's number goes before the ending.
fs::path pictureFile(const fs::path& asked, const ExportedRun& run, bool alone)
{
    if (alone)
        return asked;
    fs::path file = asked;
    file.replace_filename(
        asked.stem().string() + "-" + std::to_string(run.result.run->value) + asked.extension().string());
    return file;
}

Result<std::vector<fs::path>> saveAll(
    const Lab& lab, const std::vector<ExportedRun>& runs, const fs::path& file, ExportFormat format)
{
    if (format == ExportFormat::Csv || format == ExportFormat::Json) {
        const auto write = format == ExportFormat::Csv ? writeCsvOfRuns : writeJsonOfRuns;
        const Result<void> saved = saveFile(file, [&](std::ostream& out) { write(out, runs); });
        return saved ? Result<std::vector<fs::path>>({file}) : saved.error();
    }
    const StopAtInterrupt stop;
    std::vector<fs::path> files;
    for (const ExportedRun& run : runs) {
        const Result<std::string> picture = draw(lab, run, format, stop.token());
        if (!picture)
            return picture.error();
        files.push_back(pictureFile(file, run, runs.size() == 1));
        if (const Result<void> saved = saveFile(files.back(), [&](std::ostream& out) { out << *picture; }); !saved)
            return saved.error();
    }
    return files;
}

} // namespace

int exportRuns(Lab& lab, const Words& words)
{
    std::vector<ExportedRun> runs;
    for (const std::string& word : words.operands) {
        const Result<History> history = openRun(lab, word);
        if (!history)
            return historyFailed(lab, history.error());
        if (std::ranges::find(runs, history->run, [](const ExportedRun& run) { return *run.result.run; }) != runs.end())
            continue; // "3 last" may be one and the same
        Result<RunResult> result = history->store.run(history->run);
        if (!result)
            return lab.failed(result.error());
        Result<Curve> curve = history->store.curve(history->run);
        if (!curve)
            return lab.failed(curve.error());
        runs.push_back({*std::move(result), *std::move(curve)});
    }
    const fs::path file(*words.value("--out"));
    const ExportFormat format = *parseExportFile(*words.value("--out"));
    const Result<std::vector<fs::path>> files = saveAll(lab, runs, file, format);
    if (!files)
        return lab.failed(files.error());
    json document{{"format", toWord(format)}, {"files", json::array()}, {"runs", json::array()}};
    for (const ExportedRun& run : runs)
        document["runs"].push_back(run.result.run->value);
    for (const fs::path& written : *files) {
        document["files"].push_back(toUtf8(fs::absolute(written).string()));
        if (!lab.json)
            lab.out.printPath(written);
    }
    if (lab.json)
        lab.out.printJson(document);
    return kDone;
}

} // namespace loadlab::cli
