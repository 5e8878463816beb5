#include "cli/Options.h"
#include "cli/Values.h"

#include <array>

namespace loadlab::cli {
namespace {

constexpr std::array kGlobalOptions{
    OptionSpec{"--db", "FILE", "The run database (default: $LOADLAB_DB, else $XDG_DATA_HOME/loadlab/runs.sqlite)."},
    OptionSpec{"--zoo", "DIR",
        "A folder that holds checkpoints; repeatable (default: the hub cache and the window's folders).", nullptr,
        false, true},
    OptionSpec{"--json", "", "One JSON document on stdout."},
    OptionSpec{"--no-color", "", "No colours (nor with NO_COLOR set, nor where stdout is no terminal)."},
    OptionSpec{"--quiet", "", "No notes and no progress: the result and errors only."},
    OptionSpec{"--help", "", "This, or the help of a command."},
    OptionSpec{"--version", "", "The version."},
};

constexpr std::array kZooOptions{
    OptionSpec{"--verify", "quick|deep",
        "quick (default): headers and a few reads. deep: every byte, against the hub's SHA-256.", checkVerify},
};

constexpr std::array kRunOptions{
    OptionSpec{"--backend", "NAME", "What loads it (default: libtorch; see 'loadlab backends')."},
    OptionSpec{
        "--dtype", "NAME", "What the weights become: auto, float16, bfloat16, float32 (default: the backend's first)."},
    OptionSpec{"--device-map", "NAME|JSON",
        "Where they go: cpu, cuda, cuda:N, auto, balanced, sequential, or {\"module\": \"device\"}."},
    OptionSpec{"--max-memory", "DEVICE=SIZE,…", "How much each device may take: 0=20GiB,cpu=60GiB.", checkMaxMemory},
    OptionSpec{"--option", "KEY=VALUE", "A setting of the backend; repeatable.", checkKeyValue, false, true},
    OptionSpec{"--env", "NAME=VALUE",
        "A variable of the program that is watched, beside those it inherits; repeatable.", checkVariable, false, true},
    OptionSpec{
        "--timeout", "DURATION", "End the run after so long (verdict timed_out). Without it: never.", checkTimeLimit},
    OptionSpec{"--stall", "DURATION",
        "End the run after so long without a sign of life (verdict hang). Without it: never.", checkTimeLimit},
    OptionSpec{"--cap-memory", "SIZE",
        "At most so much memory for all its processes: by a cgroup, else by the lab's watchdog.", checkCap},
    OptionSpec{"--cap-swap", "SIZE", "At most so much swap on top of that; 0: none.", checkSwapCap},
    OptionSpec{"--guard", "SIZE|PERCENT",
        "Stop it before so little is left of the machine or of its cap (verdict guard_stopped).", checkGuard},
    OptionSpec{"--sample-hz", "N", "Samples a second, 1 to 1000 (default: 20).", checkSampleHz},
    OptionSpec{
        "--exercise", "load", "What to do once it is loaded: load, that is nothing more (the default).", checkExercise},
    OptionSpec{"--repeat", "N", "The same trial N times; the exit code is the worst one's.", checkRepeat},
    OptionSpec{"--follow", "", "Every event as a line of JSON while it happens; the last line is the result."},
};

constexpr std::array kRunsOptions{
    OptionSpec{"--mode", "MODE", "Only runs that ended so: failure modes, comma between, or 'failed'.", checkModes},
    OptionSpec{"--model", "TEXT", "Only checkpoints with this in their name."},
    OptionSpec{
        "--since", "DATE|TIME", "Only runs started since a date (UTC) or so long ago: 2026-01-31, 2h, 7d.", checkSince},
    OptionSpec{"--search", "WORDS",
        "Only runs with all these words (or beginnings of words) in log, verdict, name or path.", checkSearch},
    OptionSpec{"--limit", "N", "At most so many, newest first.", checkLimit},
};

constexpr std::array kExportOptions{
    OptionSpec{
        "--out", "FILE", "Where to; the ending says the format: .csv, .json, .svg, .png.", checkExportFile, true},
};

constexpr std::array kForecastOptions{
    OptionSpec{"--limit", "SIZE", "What the curve must not reach: 122GB, 64GiB.", checkCurveLimit, true},
    OptionSpec{"--at", "DURATION", "As it stood then: only rows with t_s up to it count (30s).", checkCurveTime},
};

constexpr std::array kDemoZooOptions{
    OptionSpec{"--size", "SIZE",
        "Of the good one on disk, 1MiB to 1GiB (default: 1GiB, the real shape of Qwen2.5-0.5B).", checkDemoSize},
};

constexpr std::array kCommands{
    CommandSpec{.name = "doctor",
        .summary = "What this machine and this installation can do: backends, counters, self-test.",
        .details = "Tells the machine, every backend with its versions or what it lacks, every counter with source, "
                   "cost and bias,\n"
                   "which containment the machine offers, and tests the sampler on itself. Ends within 10 s.\n"
                   "Exit code 3 when no backend can load anything, or the self-test cannot be done.",
        .examples = "loadlab doctor\nloadlab doctor --json | jq .backends"},
    CommandSpec{.name = "backends",
        .summary = "The plugins with their dtypes, device maps and options; broken ones with their error.",
        .details
        = "Reads every plugin.json below the plugin folders ($LOADLAB_PLUGIN_PATH, then those of this installation).\n"
          "Nothing is started.",
        .examples = "loadlab backends"},
    CommandSpec{.name = "zoo",
        .operands = "DIR…",
        .maxOperands = kAnyNumber,
        .options = kZooOptions,
        .summary = "The checkpoints on disk: family, size, parameters, quantization, state.",
        .details = "Looks into the folders given, else into those of --zoo, else into the hub cache and the folders "
                   "that the window\n"
                   "remembers. Judged from headers and a few reads; broken checkpoints are listed too.\n"
                   "--verify deep reads everything and compares what the hub cache names by its SHA-256.",
        .examples = "loadlab zoo\nloadlab zoo --verify deep\nloadlab zoo ~/models --json | jq '.[] | select(.state != "
                    "\"complete\")'"},
    CommandSpec{.name = "inspect",
        .operands = "CHECKPOINT",
        .minOperands = 1,
        .maxOperands = 1,
        .summary = "What a checkpoint is and what it lacks, from headers alone.",
        .details = "CHECKPOINT is a folder, a .safetensors or .pt file, a hub-cache snapshot, or a name from the zoo "
                   "(the beginning\n"
                   "is enough where it is the only one). Nothing is unpickled, no code of the checkpoint is run.",
        .examples = "loadlab inspect ~/demo/qwen2.5-0.5b-standin\nloadlab inspect Qwen/Qwen2.5-0.5B --json"},
    CommandSpec{.name = "run",
        .operands = "CHECKPOINT",
        .maxOperands = 1,
        .options = kRunOptions,
        .summary = "One trial: loads the checkpoint in a process of its own, measures it, judges it, stores it.",
        .details
        = "CHECKPOINT as for 'inspect'. One that cannot be found is tried all the same: that run ends as "
          "model_missing.\n"
          "With --backend command any program is watched: its stdin is /dev/null, both its outputs are log, its end is "
          "the run's.\n"
          "Without --timeout, --stall, --guard, --cap-memory or --cap-swap the lab never ends a run by itself. Ctrl-C "
          "once: "
          "the load\n"
          "is stopped in order and the run recorded; twice: killed at once.\n"
          "Exit code: 0 ok, 1 a failure verdict, 2 wrong usage, 3 the lab could not do or not store it, 130 cancelled.",
        .examples = "loadlab run ~/demo/qwen2.5-0.5b-standin --dtype float32\n"
                    "loadlab run Qwen/Qwen2.5-0.5B --dtype bf16 --device-map cpu --timeout 15min --json\n"
                    "loadlab run ~/demo/qwen2.5-0.5b-standin --repeat 3 --follow\n"
                    "loadlab run model.pt --option allow_torchscript=true\n"
                    "loadlab run ~/demo/qwen2.5-0.5b-standin --cap-memory 512MiB --cap-swap 0\n"
                    "loadlab run --backend command --cap-memory 300MiB -- python3 -c 'b = bytearray(10**9)'",
        .takesProgram = true},
    CommandSpec{.name = "runs",
        .options = kRunsOptions,
        .summary = "The history: every run, newest first.",
        .details = "All filters must apply. --json gives an array.",
        .examples = "loadlab runs --mode failed --since 7d\nloadlab runs --search 'bad_alloc' --json"},
    CommandSpec{.name = "show",
        .operands = "RUN",
        .minOperands = 1,
        .maxOperands = 1,
        .operandCheck = checkRunWord,
        .summary = "One run: verdict, evidence, remedies, figures, curve, phases.",
        .details = "RUN is a run's number, last, last:failed (neither ok nor cancelled), or its uuid. --json gives the "
                   "document that 'run --json' gave.",
        .examples = "loadlab show last\nloadlab show last:failed --json | jq .remedies"},
    CommandSpec{.name = "log",
        .operands = "RUN",
        .minOperands = 1,
        .maxOperands = 1,
        .operandCheck = checkRunWord,
        .summary = "What the run's processes printed.",
        .details = "RUN as for 'show'. --json gives {\"run\": 12, \"lines\": [\"…\"]}.",
        .examples = "loadlab log last:failed | tail"},
    CommandSpec{.name = "samples",
        .operands = "RUN",
        .minOperands = 1,
        .maxOperands = 1,
        .operandCheck = checkRunWord,
        .summary = "The run's samples as CSV.",
        .details = "RUN as for 'show'. --json gives {\"columns\": […], \"rows\": [[…]]}.",
        .examples = "loadlab samples last > curve.csv"},
    CommandSpec{.name = "export",
        .operands = "RUN…",
        .minOperands = 1,
        .maxOperands = kAnyNumber,
        .operandCheck = checkRunWord,
        .options = kExportOptions,
        .summary = "Curves of one or several runs as a file: CSV, JSON, SVG, PNG.",
        .details = "Several runs give one table with a column 'run', one JSON array, or a picture each (curve-12.svg). "
                   "The file is\n"
                   "written beside its place and renamed, so what stood there is replaced whole or not at all. SVG and "
                   "PNG are\n"
                   "drawn by loadlab-gui, which needs no display for it.",
        .examples = "loadlab export last --out curve.svg\nloadlab export 7 11 --out swap.csv"},
    CommandSpec{.name = "forecast",
        .operands = "FILE.csv",
        .minOperands = 1,
        .maxOperands = 1,
        .options = kForecastOptions,
        .summary = "Phases, rates and the time to a limit of a recorded curve.",
        .details = "The first line of FILE.csv names its columns: t_s (seconds) and used_bytes, used_gb (10^9 bytes) "
                   "or tree_bytes, in\n"
                   "any order; others are ignored. What 'samples' and 'export' write is such a file. Times are those "
                   "of the file.\n"
                   "Nothing is foretold of a curve that does not grow, that slows down so that it ends below the "
                   "limit, or whose limit\n"
                   "is further away than three times what its last phase has lasted.",
        .examples = "loadlab samples last > curve.csv && loadlab forecast curve.csv --limit 122GB\n"
                    "loadlab forecast curve.csv --limit 122GB --at 30s --json"},
    CommandSpec{.name = "demo-zoo",
        .operands = "DIR",
        .minOperands = 1,
        .maxOperands = 1,
        .options = kDemoZooOptions,
        .summary = "Makes stand-ins to try things on: a good checkpoint and broken ones.",
        .details = "What is already there and whole is kept. --size is the good one's size on disk; below the default "
                   "layers, then\n"
                   "vocabulary shrink.",
        .examples = "loadlab demo-zoo ~/demo\nloadlab demo-zoo ~/demo --size 64MiB"},
    CommandSpec{.name = "db check",
        .summary = "Whether the run database is sound.",
        .details = "Reads all of it. Exit code 1 when something is wrong in it, 3 when it cannot be read at all.",
        .examples = "loadlab db check\nloadlab --db old.sqlite db check --json"},
    CommandSpec{.name = "db backup",
        .operands = "FILE",
        .minOperands = 1,
        .maxOperands = 1,
        .summary = "Copies the run database while it may be in use.",
        .details = "FILE must not exist yet: a backup is never overwritten.",
        .examples = "loadlab db backup runs-2026-01-31.sqlite"},
};

} // namespace

std::span<const CommandSpec> commandTable()
{
    return kCommands;
}

std::span<const OptionSpec> globalOptions()
{
    return kGlobalOptions;
}

} // namespace loadlab::cli
