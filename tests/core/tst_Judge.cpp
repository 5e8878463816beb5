#include "core/verdict/Finding.h"
#include "core/verdict/Judge.h"

#include <QtTest>
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

using namespace loadlab;
using namespace std::chrono_literals;

namespace {

const Rules& rules()
{
    static const Rules all = Rules::load(LOADLAB_SOURCE_DIR "/resources/rules");
    return all;
}

WaitStatus code(int number)
{
    WaitStatus status;
    status.code = number;
    return status;
}

WaitStatus signalled(int number)
{
    WaitStatus status;
    status.signal = number;
    return status;
}

protocol::Loaded goodLoad()
{
    protocol::Loaded loaded;
    loaded.parameters = 494'000'000;
    loaded.dtypes = {{"BF16", 494'000'000}};
    loaded.devices = {{"cpu", 988'000'000}};
    loaded.tensors = 290;
    loaded.familyKnown = true;
    loaded.sampledValues = 100'000;
    return loaded;
}

protocol::WorkerError error(std::string type, std::string message)
{
    protocol::WorkerError failure;
    failure.type = std::move(type);
    failure.message = std::move(message);
    return failure;
}

/// A run that came as far as hello; nothing has ended it yet.
RunFacts started()
{
    RunFacts facts;
    facts.hello = protocol::Hello{};
    facts.duration = 8200ms;
    facts.checkpointState = CheckpointState::Complete;
    return facts;
}

RunFacts loaded()
{
    auto facts = started();
    facts.loaded = goodLoad();
    facts.wait = code(0);
    return facts;
}

RunFacts failed(std::string type, std::string message)
{
    auto facts = started();
    facts.error = error(std::move(type), std::move(message));
    facts.wait = code(1);
    return facts;
}

RunFacts endedWithLog(WaitStatus status, std::string log)
{
    auto facts = started();
    facts.wait = status;
    facts.logTail = std::move(log);
    return facts;
}

RunFacts inspected(CheckpointState state, FailureMode mode, std::string file, std::string text, RunFacts facts)
{
    facts.checkpointState = state;
    facts.problems
        = {{FailureMode::Unknown, "config.json", "something else"}, {mode, std::move(file), std::move(text)}};
    return facts;
}

struct Row {
    const char* name;
    RunFacts facts;
    FailureMode mode;
    double least; ///< Confidence.
    double most;
};

RunFacts with(RunFacts facts, const std::function<void(RunFacts&)>& change)
{
    change(facts);
    return facts;
}

std::vector<Row> labRows()
{
    using enum FailureMode;
    return {
        {"cancelled",
            with(started(),
                [](auto& f) {
                    f.acts.cancelled = true;
                    f.wait = signalled(SIGTERM);
                    f.acts.strongestSignal = SIGTERM;
                }),
            Cancelled, 0.95, 1},
        {"cancelled wins over the error it caused",
            with(failed("std::bad_alloc", "x"), [](auto& f) { f.acts.cancelled = true; }), Cancelled, 0.95, 1},
        {"over its cap, for want of a cgroup",
            with(endedWithLog(signalled(SIGKILL), "MemoryError"),
                [](auto& f) {
                    f.acts.capBreach = "310 MiB held, over the cap of 300 MiB";
                    f.acts.strongestSignal = SIGKILL;
                }),
            GuardStopped, 0.95, 1},
        {"timed out",
            with(started(),
                [](auto& f) {
                    f.acts.timedOut = true;
                    f.limits.timeout = 90s;
                    f.wait = signalled(SIGKILL);
                    f.acts.strongestSignal = SIGKILL;
                }),
            TimedOut, 0.95, 1},
        {"silence",
            with(started(),
                [](auto& f) {
                    f.acts.silence = 12min;
                    f.wait = signalled(SIGKILL);
                    f.acts.strongestSignal = SIGKILL;
                }),
            Hang, 0.95, 1},
        {"silence at the time limit is a hang",
            with(started(),
                [](auto& f) {
                    f.acts.silence = 12min;
                    f.acts.timedOut = true;
                }),
            Hang, 0.95, 1},
        {"no hello at all",
            with(RunFacts{},
                [](auto& f) {
                    f.helloLate = true;
                    f.wait = signalled(SIGKILL);
                    f.acts.strongestSignal = SIGKILL;
                }),
            Hang, 0.9, 1},
    };
}

std::vector<Row> kernelRows()
{
    using enum FailureMode;
    const auto groupKill = [](auto& f) {
        f.before.cgroupOomKill = 0;
        f.after.cgroupOomKill = 1;
    };
    const auto machineKill = [](auto& f) {
        f.before.vmstatOomKill = 3;
        f.after.vmstatOomKill = 4;
    };
    return {
        {"killed, the group's counter rose", with(endedWithLog(signalled(SIGKILL), ""), groupKill), HostOomKilled, 0.95,
            1},
        {"the group's counter beats what was printed", with(endedWithLog(signalled(SIGKILL), "MemoryError"), groupKill),
            HostOomKilled, 0.95, 1},
        {"a killed child, the worker raised", with(failed("RuntimeError", "DataLoader worker is gone"), groupKill),
            HostOomKilled, 0.95, 1},
        {"a killed child, ended well", with(loaded(), groupKill), Ok, 0.9, 1},
        {"killed, only the machine's counter rose", with(endedWithLog(signalled(SIGKILL), ""), machineKill), Unknown,
            0.3, 0.7},
        {"the kernel's log names a process of the run",
            with(endedWithLog(code(1), ""),
                [&](auto& f) {
                    machineKill(f);
                    f.kernelVictims = {{7, "other", false}, {8, "mine", true}};
                }),
            HostOomKilled, 0.95, 1},
        {"the kernel's log names somebody else",
            with(endedWithLog(signalled(SIGKILL), ""),
                [&](auto& f) {
                    machineKill(f);
                    f.kernelLogRead = true;
                    f.kernelVictims = {{7, "other", false}};
                }),
            Unknown, 0.3, 0.7},
        {"a victim's name, and no counter that rose",
            with(endedWithLog(signalled(SIGKILL), ""),
                [&](auto& f) {
                    f.kernelVictims = {{8, "mine", true}};
                }),
            Unknown, 0.3, 0.7},
        {"killed, the own group's counter stands, the machine's rose",
            with(endedWithLog(signalled(SIGKILL), ""),
                [&](auto& f) {
                    machineKill(f);
                    f.before.cgroupOomKill = f.after.cgroupOomKill = 2;
                }),
            Unknown, 0.3, 0.7},
        {"a killed child, loaded, ended by the lab's SIGTERM",
            with(loaded(),
                [&](auto& f) {
                    groupKill(f);
                    f.wait = signalled(SIGTERM);
                    f.acts.strongestSignal = SIGTERM;
                }),
            Ok, 0.9, 1},
        {"a killed child, a program that ended with 0",
            with(endedWithLog(code(0), ""),
                [&](auto& f) {
                    groupKill(f);
                    f.hello.reset();
                    f.variant.backend = "command";
                }),
            Ok, 0.9, 1},
        {"a killed child, a program that ended with 137",
            with(endedWithLog(code(137), ""),
                [&](auto& f) {
                    groupKill(f);
                    f.hello.reset();
                    f.variant.backend = "command";
                }),
            HostOomKilled, 0.95, 1},
        {"killed, no counter rose", endedWithLog(signalled(SIGKILL), ""), Unknown, 0.3, 0.7},
        {"killed, memory was nearly gone",
            with(endedWithLog(signalled(SIGKILL), "Killed"),
                [](auto& f) {
                    f.curve.baselineAvailableBytes = 100;
                    f.curve.lowestAvailableBytes = 1;
                }),
            Unknown, 0.3, 0.7},
        {"exit code 137 is no signal", endedWithLog(code(137), "Killed"), Unknown, 0.3, 0.7},
    };
}

std::vector<Row> startRows()
{
    using enum FailureMode;
    return {
        {"exec failed",
            with(RunFacts{},
                [](auto& f) {
                    f.startError = Error{ErrorKind::Worker, "cannot start worker: Exec format error"};
                }),
            MissingDependency, 0.9, 1},
        {"a library is missing",
            with(RunFacts{},
                [](auto& f) {
                    f.wait = code(127);
                    f.logTail = "./worker: error while loading shared libraries: libtorch.so: cannot open shared "
                                "object file: No such file or directory\n";
                }),
            MissingDependency, 0.95, 1},
        {"127 without a word", with(RunFacts{}, [](auto& f) { f.wait = code(127); }), MissingDependency, 0.7, 0.9},
        {"import error before hello",
            with(RunFacts{},
                [](auto& f) {
                    f.wait = code(1);
                    f.logTail = "Traceback\nModuleNotFoundError: No module named 'torch'\n";
                }),
            MissingDependency, 0.8, 0.95},
        {"left before hello", with(RunFacts{}, [](auto& f) { f.wait = code(1); }), MissingDependency, 0.5, 0.7},
        {"left before hello, the checkpoint is cut",
            inspected(CheckpointState::Incomplete, IncompleteDownload, "a", "absent",
                with(RunFacts{}, [](auto& f) { f.wait = code(1); })),
            MissingDependency, 0.5, 0.7},
        {"left before hello with 0", with(RunFacts{}, [](auto& f) { f.wait = code(0); }), Unknown, 0.3, 0.7},
        {"crashed before hello", with(RunFacts{}, [](auto& f) { f.wait = signalled(SIGILL); }), NativeCrash, 0.9, 1},
        {"no checkpoint, nothing started",
            with(RunFacts{},
                [](auto& f) {
                    f.inspectError = Error{ErrorKind::NotFound, "no such path: x"};
                }),
            ModelMissing, 0.9, 1},
        {"unreadable checkpoint, nothing started",
            with(RunFacts{},
                [](auto& f) {
                    f.inspectError = Error{ErrorKind::Io, "x: Permission denied"};
                }),
            DiskIo, 0.9, 1},
        {"nothing known", RunFacts{}, Unknown, 0.3, 0.7},
    };
}

std::vector<Row> errorRows()
{
    using enum FailureMode;
    std::vector<Row> rows;
    // Every mode that a worker may name for itself.
    for (const auto mode : {ModelMissing, IncompleteDownload, CorruptFile, DiskIo, AccessDenied, RemoteCodeRefused,
             MissingDependency, UnsupportedArchitecture, StructureMismatch, DtypeQuantizationConflict, DeviceMapError,
             HostAllocFailed, DeviceOom, GpuDriverError, GenerationError, LoadedButWrong})
        rows.push_back({toWireName(mode).data(), failed(std::string(toWireName(mode)), "as it says"), mode, 0.9, 1});
    const auto add = [&rows](const char* name, const char* type, const char* message, FailureMode mode) {
        rows.push_back({name, failed(type, message), mode, mode == Unknown ? 0.3 : 0.75, 0.97});
    };
    add("bad_alloc by type", "std::bad_alloc", "std::bad_alloc", HostAllocFailed);
    add("host allocator by message", "c10::Error",
        "[enforce fail at alloc_cpu.cpp:66] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 "
        "bytes.",
        HostAllocFailed);
    add("device allocator", "torch.cuda.OutOfMemoryError", "CUDA out of memory. Tried to allocate 2 GiB", DeviceOom);
    add("cut header", "SafetensorError", "Error while deserializing header: MetadataIncompleteBuffer",
        IncompleteDownload);
    add("broken header", "SafetensorError", "Error while deserializing header: HeaderTooLarge", CorruptFile);
    add("pointer", "UnpicklingError", "invalid load key, 'v'.", IncompleteDownload);
    add("missing lm_head", "AttributeError", "Qwen3OmniMoeTalkerForConditionalGeneration has no attribute `lm_head`",
        StructureMismatch);
    add("no cuda in this build", "AssertionError", "Torch not compiled with CUDA enabled", DeviceMapError);
    add("half", "RuntimeError", "\"addmm_impl_cpu_\" not implemented for 'Half'", DtypeQuantizationConflict);
    add("disk full", "OSError", "[Errno 28] No space left on device", DiskIo);
    add("repository", "OSError",
        "foo/bar is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'",
        ModelMissing);
    add("unheard of", "RuntimeError", "the moon is in the wrong phase", Unknown);
    add("a mode that only the kernel knows", "host_oom_killed", "I was killed", Unknown);
    add("a mode that only the lab knows", "cancelled", "somebody did", Unknown);
    add("advice about memory is no refusal", "ValueError", "bad config. If you run out of memory, try a smaller batch.",
        Unknown);
    rows.push_back({"an error beats the crash that follows",
        with(failed("device_map_error", "no cuda"), [](auto& f) { f.wait = signalled(SIGABRT); }), DeviceMapError, 0.9,
        1});
    rows.push_back({"an error after loading",
        with(failed("generation_error", "x"), [](auto& f) { f.loaded = goodLoad(); }), GenerationError, 0.9, 1});
    return rows;
}

std::vector<Row> checkpointRows()
{
    using enum FailureMode;
    const auto saysCorrupt = failed("corrupt_file", "bad header");
    return {
        {"a pointer beats what the loader called it",
            inspected(
                CheckpointState::Pointer, IncompleteDownload, "model.safetensors", "is a git-lfs pointer", saysCorrupt),
            IncompleteDownload, 0.95, 1},
        {"a cut file beats a structure mismatch",
            inspected(CheckpointState::Incomplete, IncompleteDownload, "model-00002.safetensors", "absent",
                failed("structure_mismatch", "missing tensor x")),
            IncompleteDownload, 0.95, 1},
        {"whole files that lack tensors are a structure mismatch",
            inspected(CheckpointState::Incomplete, StructureMismatch, "", "26 tensors are in no file",
                failed("structure_mismatch", "26 missing")),
            StructureMismatch, 0.95, 1},
        {"left with 3 on a file that may not be read",
            inspected(CheckpointState::Incomplete, DiskIo, "a", "Permission denied", endedWithLog(code(3), "")), DiskIo,
            0.7, 0.9},
        {"tensors that are absent do not explain bytes that are wrong",
            inspected(CheckpointState::Incomplete, StructureMismatch, "", "1 tensor is in no file", saysCorrupt),
            CorruptFile, 0.95, 1},
        {"a cut file does not beat a device that is absent",
            inspected(
                CheckpointState::Incomplete, IncompleteDownload, "a", "absent", failed("device_map_error", "no cuda")),
            DeviceMapError, 0.9, 1},
        {"a cut file does not beat refused consent",
            inspected(CheckpointState::Incomplete, IncompleteDownload, "a", "absent",
                failed("remote_code_refused", "pickle")),
            RemoteCodeRefused, 0.9, 1},
        {"corrupt by inspection and by error",
            inspected(CheckpointState::Corrupt, CorruptFile, "a", "bad header", saysCorrupt), CorruptFile, 0.97, 1},
        {"an empty folder",
            with(failed("unsupported_architecture", "no model_type"),
                [](auto& f) { f.checkpointState = CheckpointState::Empty; }),
            ModelMissing, 0.95, 1},
        {"no such path",
            with(failed("RuntimeError", "open failed"),
                [](auto& f) {
                    f.checkpointState.reset();
                    f.inspectError = Error{ErrorKind::NotFound, "no such path"};
                }),
            ModelMissing, 0.95, 1},
        {"unsupported is a remark", with(loaded(), [](auto& f) { f.checkpointState = CheckpointState::Unsupported; }),
            Ok, 0.9, 1},
        {"a bus error on a cut file",
            inspected(
                CheckpointState::Incomplete, IncompleteDownload, "a", "cut short", endedWithLog(signalled(SIGBUS), "")),
            IncompleteDownload, 0.7, 0.9},
        {"left with 3 on a corrupt file",
            inspected(CheckpointState::Corrupt, CorruptFile, "a", "bad", endedWithLog(code(3), "")), CorruptFile, 0.7,
            0.9},
        {"loaded in spite of a cut file",
            inspected(CheckpointState::Incomplete, IncompleteDownload, "a", "absent", loaded()), Ok, 0.9, 1},
    };
}

std::vector<Row> endRows()
{
    using enum FailureMode;
    return {
        {"nonsense on stdout",
            with(started(),
                [](auto& f) {
                    f.nonsense = "hello, world";
                    f.wait = signalled(SIGKILL);
                    f.acts.strongestSignal = SIGKILL;
                }),
            Unknown, 0.3, 0.7},
        {"segmentation fault", endedWithLog(signalled(SIGSEGV), "some progress\n"), NativeCrash, 0.95, 1},
        {"bus error", endedWithLog(signalled(SIGBUS), ""), NativeCrash, 0.95, 1},
        {"abort without a word", endedWithLog(signalled(SIGABRT), ""), NativeCrash, 0.95, 1},
        {"abort after a statement",
            endedWithLog(signalled(SIGABRT), "terminate called after throwing an instance of 'std::bad_alloc'\n"),
            HostAllocFailed, 0.8, 0.95},
        {"a crash after loading", with(loaded(), [](auto& f) { f.wait = signalled(SIGSEGV); }), NativeCrash, 0.9, 1},
        {"SIGTERM from outside", endedWithLog(signalled(SIGTERM), ""), Unknown, 0.3, 0.7},
        {"a statement in the log",
            endedWithLog(code(1),
                "Traceback (most recent call last):\nRuntimeError: PytorchStreamReader failed reading zip archive: "
                "failed finding central directory\n"),
            CorruptFile, 0.75, 0.92},
        {"a plain code", endedWithLog(code(1), "bye\n"), Unknown, 0.3, 0.7},
        {"0 without loaded", endedWithLog(code(0), ""), Unknown, 0.3, 0.7},
        {"loaded, then a plain code", with(loaded(), [](auto& f) { f.wait = code(4); }), Unknown, 0.3, 0.7},
        {"a program that ended with 0",
            with(endedWithLog(code(0), "warning: MemoryError survived\n"),
                [](auto& f) {
                    f.hello.reset();
                    f.variant.backend = "command";
                }),
            Ok, 0.9, 1},
        {"a program that ended with 2",
            with(endedWithLog(code(2), ""),
                [](auto& f) {
                    f.hello.reset();
                    f.variant.backend = "command";
                }),
            Unknown, 0.3, 0.7},
        {"a program that ended with 127",
            with(endedWithLog(code(127), ""),
                [](auto& f) {
                    f.hello.reset();
                    f.variant.backend = "command";
                }),
            Unknown, 0.3, 0.7},
        {"a program that crashed",
            with(endedWithLog(signalled(SIGFPE), ""),
                [](auto& f) {
                    f.hello.reset();
                    f.variant.backend = "command";
                }),
            NativeCrash, 0.9, 1},
    };
}

/// As Python logs an exception that was caught.
std::string survivedLog(const std::string& rest)
{
    return "ERROR:root:does not fit, trying half\nTraceback (most recent call last):\n"
           "  File \"load.py\", line 2, in <module>\n    b=bytearray(10**15)\n      ^^^^\nMemoryError\n"
        + rest;
}

std::string traceback(const std::string& exception)
{
    return "Traceback (most recent call last):\n  File \"load.py\", line 6, in <module>\n    load()\n" + exception
        + "\n";
}

std::vector<Row> survivedRows()
{
    using enum FailureMode;
    const std::string memory = traceback("MemoryError");
    const std::string link = "\nDuring handling of the above exception, another exception occurred:\n\n";
    return {
        {"refused memory, a retry, then another exception",
            endedWithLog(code(1), survivedLog(traceback("ValueError: bad config"))), Unknown, 0.3, 0.7},
        {"refused memory, printed, then another exception",
            endedWithLog(code(1), memory + traceback("ValueError: bad config")), Unknown, 0.3, 0.7},
        {"a device's memory refused, then another exception",
            endedWithLog(
                code(1), traceback("torch.OutOfMemoryError: CUDA out of memory.") + traceback("KeyError: 'layers'")),
            Unknown, 0.3, 0.7},
        {"refused memory, a retry, then a fault", endedWithLog(signalled(SIGSEGV), survivedLog("")), NativeCrash, 0.9,
            1},
        {"refused memory, a retry, then an exit", endedWithLog(code(1), survivedLog("")), Unknown, 0.3, 0.7},
        {"the last exception is refused memory", endedWithLog(code(1), memory), HostAllocFailed, 0.8, 0.95},
        {"another was survived, the last is refused memory",
            endedWithLog(code(1), traceback("ValueError: bad config") + memory), HostAllocFailed, 0.8, 0.95},
        {"raised while refused memory was handled",
            endedWithLog(code(1), memory + link + traceback("ValueError: bad config")), HostAllocFailed, 0.8, 0.95},
        {"passed on", endedWithLog(code(1), memory + traceback("RuntimeError: a worker failed, see above")),
            HostAllocFailed, 0.8, 0.95},
        {"an allocator's statement is no exception",
            endedWithLog(code(1), "cudaMalloc failed: out of memory\n" + traceback("ValueError: no context")),
            DeviceOom, 0.8, 0.95},
        {"a log cut within a traceback",
            endedWithLog(code(1), memory + "Traceback (most recent call last):\n  File \"load.py\", line 6"),
            HostAllocFailed, 0.8, 0.95},
    };
}

std::vector<Row> loadedRows()
{
    using enum FailureMode;
    const auto wrong = [](const std::function<void(RunFacts&)>& change) { return with(loaded(), change); };
    return {
        {"loaded", loaded(), Ok, 0.97, 1},
        {"loaded, family unknown", wrong([](auto& f) { f.loaded->familyKnown = false; }), Ok, 0.9, 0.96},
        {"loaded, had to be killed at the end", wrong([](auto& f) {
             f.wait = signalled(SIGKILL);
             f.acts.strongestSignal = SIGKILL;
         }),
            Ok, 0.9, 1},
        {"missing", wrong([](auto& f) {
             f.loaded->missingCount = 2;
             f.loaded->missing = {"a", "b"};
         }),
            LoadedButWrong, 0.9, 1},
        {"unexpected", wrong([](auto& f) {
             f.loaded->unexpectedCount = 1;
             f.loaded->unexpected = {"a"};
         }),
            LoadedButWrong, 0.9, 1},
        {"misshaped", wrong([](auto& f) { f.loaded->misshapedCount = 1; }), LoadedButWrong, 0.9, 1},
        {"not finite", wrong([](auto& f) { f.loaded->nonFiniteTensors = 3; }), LoadedButWrong, 0.9, 1},
        {"another dtype", wrong([](auto& f) { f.variant.dtype = "float32"; }), LoadedButWrong, 0.9, 1},
        {"the dtype asked for", wrong([](auto& f) {
             f.variant.dtype = "bfloat16";
             f.loaded->dtypes["I64"] = 4;
         }),
            Ok, 0.9, 1},
        {"silent fall-back to the CPU", wrong([](auto& f) { f.variant.deviceMap = "cuda"; }), LoadedButWrong, 0.9, 1},
        {"the device asked for", wrong([](auto& f) {
             f.variant.deviceMap = "cuda";
             f.loaded->devices = {{"cuda:0", 5}};
         }),
            Ok, 0.9, 1},
        {"by a map of modules", wrong([](auto& f) {
             f.variant.deviceMap = R"({"model.layers.0": 0, "": "cpu"})";
             f.loaded->devices = {{"cuda:0", 5}, {"cpu", 5}};
         }),
            Ok, 0.9, 1},
        {"against a map of modules", wrong([](auto& f) {
             f.variant.deviceMap = R"({"": 1})";
             f.loaded->devices = {{"cuda:0", 5}};
         }),
            LoadedButWrong, 0.9, 1},
        {"automatic maps go anywhere", wrong([](auto& f) {
             f.variant.deviceMap = "auto";
             f.loaded->devices = {{"cuda:1", 5}, {"cpu", 5}};
         }),
            Ok, 0.9, 1},
        {"nothing at all", wrong([](auto& f) { f.loaded = protocol::Loaded{}; }), LoadedButWrong, 0.9, 1},
        {"the worker raised", wrong([](auto& f) {
             f.loaded->missingCount = 2;
             f.error = error("structure_mismatch", "2 missing");
             f.wait = code(1);
         }),
            StructureMismatch, 0.9, 1},
    };
}

std::vector<Row> allRows()
{
    std::vector<Row> rows;
    for (auto part :
        {labRows(), kernelRows(), startRows(), errorRows(), checkpointRows(), endRows(), survivedRows(), loadedRows()})
        rows.insert(rows.end(), part.begin(), part.end());
    return rows;
}

const Evidence* evidenceOf(const Verdict& verdict, std::string_view source)
{
    const auto found = std::find_if(
        verdict.evidence.begin(), verdict.evidence.end(), [source](const Evidence& e) { return e.source == source; });
    return found == verdict.evidence.end() ? nullptr : &*found;
}

const Remedy* remedyOf(const Verdict& verdict, std::string_view id)
{
    const auto found
        = std::find_if(verdict.remedies.begin(), verdict.remedies.end(), [id](const Remedy& r) { return r.id == id; });
    return found == verdict.remedies.end() ? nullptr : &*found;
}

} // namespace

Q_DECLARE_METATYPE(Row)
Q_DECLARE_METATYPE(RunFacts)

class tst_Judge : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyCaseHasItsMode_data()
    {
        QTest::addColumn<Row>("row");
        for (const auto& row : allRows())
            QTest::newRow(row.name) << row;
    }
    void everyCaseHasItsMode()
    {
        QFETCH(Row, row);
        const auto verdict = judge(row.facts, rules());
        QCOMPARE(toWireName(verdict.mode).data(), toWireName(row.mode).data());
        QVERIFY2(verdict.confidence >= row.least && verdict.confidence <= row.most,
            qPrintable(QString::number(verdict.confidence)));
    }

    void everyVerdictHasEvidenceASentenceAndAWayOut_data() { everyCaseHasItsMode_data(); }
    void everyVerdictHasEvidenceASentenceAndAWayOut()
    {
        QFETCH(Row, row);
        const auto verdict = judge(row.facts, rules());
        QVERIFY(!verdict.evidence.empty());
        QVERIFY(!verdict.evidence.front().fact.empty());
        QVERIFY2(!verdict.summary.empty() && (verdict.summary.back() == '.' || verdict.summary.back() == '"'),
            verdict.summary.c_str());
        QVERIFY(!verdict.rule.empty());
        QCOMPARE(verdict.rulesVersion, rules().version());
        const bool failure = verdict.mode != FailureMode::Ok && verdict.mode != FailureMode::Cancelled;
        QCOMPARE(!verdict.remedies.empty(), failure);
        for (std::size_t i = 1; i < verdict.evidence.size(); ++i)
            QVERIFY(std::abs(verdict.evidence[i].weight) <= std::abs(verdict.evidence[i - 1].weight));
        for (const auto& item : verdict.evidence)
            QVERIFY2(findFailureMode(item.supports).has_value(), item.supports.c_str());
        for (const auto& remedy : verdict.remedies)
            QVERIFY(!nlohmann::json::parse(remedy.changeJson, nullptr, false).is_discarded());
    }

    void withoutRulesTheModesOfFactsStand()
    {
        const auto none = Rules::load("/nonexistent");
        QCOMPARE(judge(loaded(), none).mode, FailureMode::Ok);
        QCOMPARE(judge(failed("corrupt_file", "x"), none).mode, FailureMode::CorruptFile);
        QCOMPARE(judge(endedWithLog(signalled(SIGSEGV), ""), none).mode, FailureMode::NativeCrash);
    }

    void theSameFactsGiveTheSameVerdict()
    {
        for (const auto& row : allRows())
            QCOMPARE(toJson(judge(row.facts, rules())), toJson(judge(row.facts, rules())));
    }

    void aSignalIsNamed()
    {
        const auto verdict = judge(endedWithLog(signalled(SIGSEGV), ""), rules());
        QVERIFY(verdict.summary.find("SIGSEGV") != std::string::npos);
        QCOMPARE(signalName(SIGKILL), std::string("SIGKILL"));
        QCOMPARE(signalName(63), std::string("signal 63"));
    }

    void nonsenseIsQuoted()
    {
        auto facts = started();
        facts.nonsense = "All your base";
        QVERIFY(judge(facts, rules()).summary.find("\"All your base\"") != std::string::npos);
    }

    void aMachineWideKillIsCircumstantial()
    {
        auto facts = endedWithLog(signalled(SIGKILL), "");
        facts.before.vmstatOomKill = 3;
        facts.after.vmstatOomKill = 4;
        const auto verdict = judge(facts, rules());
        const auto* item = evidenceOf(verdict, "vmstat.oom_kill");
        QVERIFY(item);
        QVERIFY(item->fact.find("3 -> 4") != std::string::npos);
        QVERIFY(item->weight > 0 && item->weight < 0.5);
        QVERIFY(verdict.summary.find("Killed from outside") != std::string::npos);
        QVERIFY(verdict.summary.find("killed some process of this machine") != std::string::npos);
    }

    void anUnmovedCounterSpeaksAgainstAnOutOfMemoryKill()
    {
        auto facts = endedWithLog(signalled(SIGKILL), "");
        facts.before.vmstatOomKill = facts.after.vmstatOomKill = 3;
        const auto verdict = judge(facts, rules());
        const auto* item = evidenceOf(verdict, "vmstat.oom_kill");
        QVERIFY(item);
        QCOMPARE(item->supports, std::string("host_oom_killed"));
        QVERIFY(item->weight < 0);
    }

    void aSurvivedKillIsInTheEvidence()
    {
        auto facts = loaded();
        facts.after.cgroupOomKill = 1;
        const auto verdict = judge(facts, rules());
        QCOMPARE(verdict.mode, FailureMode::Ok);
        QVERIFY(evidenceOf(verdict, "cgroup.oom_kill"));
    }

    void aProgramThatIsNotThereIsNotSaidToBe()
    {
        RunFacts facts;
        facts.startError = Error{ErrorKind::NotFound, "no such program in PATH: 'x'"};
        QCOMPARE(judge(facts, rules()).summary, std::string("No such program in PATH: 'x'."));
    }

    void aVictimNotKnownIsNotSaidToBeOfNoRun()
    {
        auto facts = endedWithLog(code(7), "");
        facts.before.vmstatOomKill = 3;
        facts.after.vmstatOomKill = 4;
        facts.kernelVictims = {{4711, "python3", false}};
        const auto verdict = judge(facts, rules());
        const auto* item = evidenceOf(verdict, "vmstat.oom_kill");
        QVERIFY(item);
        QCOMPARE(item->fact,
            std::string("3 -> 4 on the whole machine: pid 4711 (python3) was killed for lack of memory, not shown to "
                        "be of this run"));
    }

    void whomTheKernelKilledIsTold_data()
    {
        using Limit = KernelVictim::Limit;
        QTest::addColumn<RunFacts>("facts");
        QTest::addColumn<QString>("begins");
        auto facts = endedWithLog(signalled(SIGKILL), "");
        facts.limits.capMemoryBytes = std::uint64_t{100} << 20;
        facts.before.cgroupOomKill = 0;
        facts.after.cgroupOomKill = 1;
        QTest::newRow("no log") << facts << "it or a process of it for lack of memory";
        facts.kernelVictims = {{8, "mine", true, 0, false, Limit::Run}};
        QTest::newRow("a child") << facts << "a process of it for lack of memory, at its cap of 100 MiB";
        facts.kernelVictims.front().isWorker = true;
        QTest::newRow("the worker") << facts << "it for lack of memory, at its cap of 100 MiB";
        facts.kernelVictims.front().limit = Limit::Machine;
        QTest::newRow("of the machine") << facts << "it for lack of memory, as the whole machine had no more";
        facts.kernelVictims.front().limit = Limit::Unknown;
        QTest::newRow("of nobody knows what") << facts << "it for lack of memory after";
        facts.after.cgroupOomKill = 3;
        QTest::newRow("with others") << facts << "it and 2 more of its processes for lack of memory";
    }

    void whomTheKernelKilledIsTold()
    {
        QFETCH(RunFacts, facts);
        QFETCH(QString, begins);
        const auto verdict = judge(facts, rules());
        QVERIFY2(verdict.summary.starts_with("The kernel killed " + begins.toStdString()), verdict.summary.c_str());
    }

    void onlyTheLimitThatWasMetIsToBeRaised()
    {
        auto facts = endedWithLog(code(1), "");
        facts.after.cgroupOomKill = 1;
        for (const auto limit : {KernelVictim::Limit::Run, KernelVictim::Limit::Below, KernelVictim::Limit::Other,
                 KernelVictim::Limit::Machine}) {
            facts.kernelVictims = {{8, "mine", true, 0, false, limit, "/other"}};
            const auto verdict = judge(facts, rules());
            const bool group = limit == KernelVictim::Limit::Below || limit == KernelVictim::Limit::Other;
            QCOMPARE(remedyOf(verdict, "free-memory") != nullptr, limit == KernelVictim::Limit::Run);
            QCOMPARE(remedyOf(verdict, "limit-of-the-group") != nullptr, group);
            QCOMPARE(remedyOf(verdict, "memory-of-the-machine") != nullptr, limit == KernelVictim::Limit::Machine);
        }
    }

    void aGroupThatWasLeftCountsNothingOut()
    {
        auto facts = endedWithLog(signalled(SIGKILL), "");
        facts.before.cgroupOomKill = facts.after.cgroupOomKill = 0;
        auto verdict = judge(facts, rules());
        QVERIFY(!remedyOf(verdict, "who-killed-it") && remedyOf(verdict, "who-else-killed-it"));
        facts.outsideGroup = {"pid 5 (bash), in /other"};
        verdict = judge(facts, rules());
        QVERIFY2(verdict.summary.find("stands still") == std::string::npos, verdict.summary.c_str());
        QVERIFY(!evidenceOf(verdict, "cgroup.oom_kill"));
        QVERIFY(remedyOf(verdict, "who-killed-it") && !remedyOf(verdict, "who-else-killed-it"));
    }

    void swapIsToldToTheHundredth()
    {
        auto facts = endedWithLog(signalled(SIGKILL), "");
        facts.curve.baselineAvailableBytes = 1000;
        facts.curve.swapBeganS = 0.85;
        std::string said;
        for (const auto& item : judge(facts, rules()).evidence)
            said += item.fact + "\n";
        QVERIFY2(said.find("swapping began after 0.850 s") != std::string::npos, said.c_str());
    }

    void aKillBySomebodyElseSaysWhatTheKernelDidMeanwhile()
    {
        auto facts = endedWithLog(signalled(SIGKILL), "");
        facts.before.cgroupOomKill = facts.after.cgroupOomKill = 0;
        facts.before.vmstatOomKill = 3;
        facts.after.vmstatOomKill = 4;
        facts.kernelVictims = {{4711, "python3", false}};
        const auto verdict = judge(facts, rules());
        QVERIFY2(verdict.summary.find("stands still") != std::string::npos, verdict.summary.c_str());
        QVERIFY2(verdict.summary.find("pid 4711 (python3)") != std::string::npos, verdict.summary.c_str());
        const auto* group = evidenceOf(verdict, "cgroup.oom_kill");
        QVERIFY(group && group->weight < 0);
    }

    void aDirtyStartAndWhatStaysAreNamed()
    {
        auto facts = loaded();
        facts.dirtyStartBytes = std::uint64_t{2} << 30;
        facts.leftShmBytes = std::uint64_t{64} << 20;
        std::string said;
        for (const auto& item : judge(facts, rules()).evidence)
            said += item.fact + "\n";
        QVERIFY2(said.find("dirty start: 2.00 GiB") != std::string::npos, said.c_str());
        QVERIFY2(said.find("64.0 MiB of shared memory") != std::string::npos, said.c_str());
    }

    void whatOutlivedTheRunIsNamed()
    {
        auto facts = loaded();
        facts.leftoverProcesses = 1;
        facts.leftovers = {"pid 4711 (sleep)"};
        const auto verdict = judge(facts, rules());
        const auto* item = evidenceOf(verdict, "lab");
        QVERIFY(item && item->fact.find("pid 4711 (sleep)") != std::string::npos);
    }

    void remediesThatChangeNothingAreLeftOut()
    {
        auto facts = failed("dtype_quantization_conflict", "float16 and packed integers");
        facts.variant.dtype = "float16";
        const auto verdict = judge(facts, rules());
        const auto* remedy = remedyOf(verdict, "dtype-auto");
        QVERIFY(remedy);
        QCOMPARE(nlohmann::json::parse(remedy->changeJson)["dtype"].get<std::string>(), std::string("auto"));
        QCOMPARE(verdict.remedies.front().id, remedy->id);
        facts.variant.dtype = "auto";
        QVERIFY(!remedyOf(judge(facts, rules()), "dtype-auto"));
    }

    void aRefusedTorchScriptOffersConsent()
    {
        auto facts = failed("remote_code_refused", "model.pt is TorchScript: loading it runs its code");
        const auto verdict = judge(facts, rules());
        const auto* remedy = remedyOf(verdict, "allow-torchscript");
        QVERIFY(remedy);
        QCOMPARE(nlohmann::json::parse(remedy->changeJson)["options"]["allow_torchscript"].get<std::string>(),
            std::string("true"));
        facts.error->message = "pytorch_model.bin is a pickle";
        const auto pickle = judge(facts, rules());
        QVERIFY(!remedyOf(pickle, "allow-torchscript"));
        QVERIFY(remedyOf(pickle, "convert-to-safetensors"));
        // That the backend reads TorchScript, too, makes no TorchScript of a pickle.
        facts.error->message = "x.pt is a pickle; the backend reads safetensors and TorchScript";
        QVERIFY(!remedyOf(judge(facts, rules()), "allow-torchscript"));
        QVERIFY(remedyOf(judge(facts, rules()), "convert-to-safetensors"));
    }

    void aDeviceThatIsAbsentOffersTheCpu()
    {
        auto facts = failed("device_map_error", "no cuda");
        facts.variant.deviceMap = "cuda";
        QVERIFY(remedyOf(judge(facts, rules()), "device-cpu"));
        facts.error->message = "no room for 'model.layers.0' (28.4 MiB) on cpu (10.0 MiB)";
        QVERIFY(!remedyOf(judge(facts, rules()), "device-cpu"));
        QVERIFY(remedyOf(judge(facts, rules()), "more-room"));
    }

    void aRemedyNamesTheFile()
    {
        const auto facts = inspected(CheckpointState::Incomplete, FailureMode::IncompleteDownload,
            "model-00002-of-00004.safetensors", "cut short by 4,096 bytes", failed("corrupt_file", "x"));
        const auto verdict = judge(facts, rules());
        const auto* remedy = remedyOf(verdict, "fetch-again");
        QVERIFY(remedy);
        QVERIFY(remedy->text.find("model-00002-of-00004.safetensors") != std::string::npos);
        QVERIFY(verdict.summary.find("cut short by 4,096 bytes") != std::string::npos);
    }

    void aRemedyNamesTheModelWhereItIsKnown()
    {
        auto facts = inspected(CheckpointState::Incomplete, FailureMode::IncompleteDownload, "a.safetensors",
            "cut short by 4,096 bytes", failed("incomplete_download", "x"));
        const std::string unknown = remedyOf(judge(facts, rules()), "fetch-again")->text;
        QCOMPARE(unknown, std::string("Fetch a.safetensors again, then check with `loadlab inspect`."));
        facts.model = "org/name";
        const std::string known = remedyOf(judge(facts, rules()), "fetch-again")->text;
        QVERIFY2(
            known.find("`hf download org/name a.safetensors --force-download`") != std::string::npos, known.c_str());
    }

    void aNameFromAStrangersIndexIsNoCommand()
    {
        for (const char* name : {"x; touch /tmp/PWNED #.safetensors", "a`id`.safetensors", "$(id).safetensors", "-rf",
                 "../../etc/passwd", "/etc/passwd", "a b.safetensors", "a'b.safetensors"}) {
            auto facts = inspected(CheckpointState::Incomplete, FailureMode::IncompleteDownload, name, "is absent",
                failed("incomplete_download", "x"));
            facts.model = "org/name";
            const auto incomplete = judge(facts, rules());
            QVERIFY2(remedyOf(incomplete, "fetch-again")->text.find("hf download") == std::string::npos, name);
            auto pickle = failed("remote_code_refused", "it is a pickle");
            pickle.error->file = name;
            const auto refused = judge(pickle, rules());
            QVERIFY2(remedyOf(refused, "convert-to-safetensors")->text.find("python3") == std::string::npos, name);
        }
        auto pickle = failed("remote_code_refused", "it is a pickle");
        pickle.error->file = "pytorch_model.bin";
        const auto refused = judge(pickle, rules());
        const auto& text = remedyOf(refused, "convert-to-safetensors")->text;
        QVERIFY2(text.find("torch.load('pytorch_model.bin'") != std::string::npos, text.c_str());
    }

    void whatIsNoFileIsNotFetchedAgain()
    {
        const auto fifo = judge(inspected(CheckpointState::Incomplete, FailureMode::IncompleteDownload, "a.safetensors",
                                    "is a FIFO, not a file; it was not opened", failed("incomplete_download", "x")),
            rules());
        QVERIFY(remedyOf(fifo, "regular-file"));
        const auto verdict
            = judge(failed("corrupt_file", "is a character device, not a file; it was not opened"), rules());
        QVERIFY(!remedyOf(verdict, "fetch-again"));
        QVERIFY(remedyOf(verdict, "regular-file"));
    }

    void memoryThatDidNotFallIsNotSaidToHaveFallen()
    {
        auto facts = failed("host_alloc_failed", "cannot allocate memory");
        facts.curve.baselineAvailableBytes = facts.curve.lowestAvailableBytes = std::uint64_t{22} << 30;
        const auto verdict = judge(facts, rules());
        const auto* memory = evidenceOf(verdict, "curve");
        QVERIFY(memory && memory->fact.find("stayed at 22") != std::string::npos);
        facts.curve.lowestAvailableBytes /= 2;
        const auto lower = judge(facts, rules());
        QVERIFY(evidenceOf(lower, "curve")->fact.find("fell from 22") != std::string::npos);
    }

    void theWorkersOwnAdviceIsKept()
    {
        auto facts = failed("disk_io", "x");
        facts.error->remedy = "Mount it again.";
        const auto verdict = judge(facts, rules());
        const auto* remedy = remedyOf(verdict, "worker-advice");
        QVERIFY(remedy);
        QCOMPARE(remedy->text, std::string("Mount it again."));
    }

    void twoModesThatFitEquallyWellAreBothShown()
    {
        const auto verdict = judge(endedWithLog(code(1),
                                       "RuntimeError: bad magic\nRuntimeError: CUDA driver version is insufficient for "
                                       "CUDA runtime version\n"),
            rules());
        QVERIFY(verdict.confidence < 0.6);
        QVERIFY(evidenceOf(verdict, "rule"));
    }

    void theExceptionThatEndedItIsNamed()
    {
        const auto verdict
            = judge(endedWithLog(code(1), survivedLog(traceback("ValueError: bad config: no such layer"))), rules());
        QVERIFY2(verdict.summary.ends_with(": ValueError: bad config: no such layer."), verdict.summary.c_str());
        const auto crash = judge(endedWithLog(signalled(SIGSEGV), survivedLog("")), rules());
        QCOMPARE(crash.rule, std::string("crashed"));
    }

    void hugeAndBrokenTextsAreBounded()
    {
        auto facts = failed(std::string(100'000, 't'), std::string(1 << 20, '\xff'));
        facts.logTail = std::string(1 << 20, '*');
        facts.warnings.assign(1000, {"code", std::string(100'000, 'w')});
        facts.leftovers.assign(1000, "pid");
        facts.leftoverProcesses = 1000;
        const auto verdict = judge(facts, rules());
        QVERIFY(toJson(verdict).dump().size() < 20'000);
    }
};

QTEST_APPLESS_MAIN(tst_Judge)
#include "tst_Judge.moc"
