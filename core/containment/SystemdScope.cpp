#include "core/containment/SystemdScope.h"

#include "core/Descriptor.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/containment/RunGroup.h"
#include "core/telemetry/ProcFile.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace loadlab {
namespace fs = std::filesystem;

struct SystemdScope::State {
    pid_t holder = -1;
    Descriptor input; ///< The holder's stdin: its end is the holder's end.
    Descriptor errors;
    fs::path group;

    ~State()
    {
        input.reset();
        if (holder <= 0)
            return;
        ::kill(holder, SIGKILL);
        ::waitpid(holder, nullptr, 0);
    }
};

namespace {

struct Ends {
    Descriptor read;
    Descriptor write;
};

std::optional<Ends> makePipe()
{
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return std::nullopt;
    return Ends{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::string unitName()
{
    const GroupOwner owner = thisLab({});
    return "loadlab-" + std::to_string(owner.lab.pid) + "-" + std::to_string(owner.lab.startTicks) + ".scope";
}

int spawnHolder(const std::string& unit, int input, int errors, pid_t& pid)
{
    std::vector<std::string> words{"systemd-run", "--user", "--scope", "--quiet", "--collect",
        "--property=Delegate=yes", "--unit=" + unit, "--", "cat"};
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files{};
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int error = ::posix_spawnp(&pid, argv.front(), &files, nullptr, argv.data(), ::environ);
    ::posix_spawn_file_actions_destroy(&files);
    return error;
}

/// The holder's group in the v2 hierarchy, once it is in the unit's.
std::optional<fs::path> scopeOf(const CgroupWorld& world, const Hierarchy& v2, pid_t holder, const std::string& unit)
{
    const std::string text = readSmallFile((world.root / "proc" / std::to_string(holder) / "cgroup").string());
    const std::size_t line = text.starts_with("0::") ? 0 : text.find("\n0::");
    if (line == std::string::npos)
        return std::nullopt;
    const std::size_t from = text.find('/', line);
    const std::string path = text.substr(from, text.find('\n', from) - from);
    if (!path.ends_with(unit))
        return std::nullopt;
    return v2.mount / fs::path(path).relative_path();
}

std::string whatItSaid(const Descriptor& errors)
{
    std::array<char, 512> text{};
    pollfd said{errors.get(), POLLIN, 0};
    const ssize_t got = ::poll(&said, 1, 0) == 1 ? ::read(errors.get(), text.data(), text.size()) : 0;
    std::string words = toUtf8(std::string_view(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0));
    return words.substr(0, words.find('\n'));
}

bool hasUserInstance(const CgroupWorld& world)
{
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    std::error_code ignored;
    return runtime && fs::exists(world.root / fs::path(runtime).relative_path() / "systemd/private", ignored);
}

} // namespace

SystemdScope::SystemdScope(std::unique_ptr<State> state)
    : m_state(std::move(state))
{
}

SystemdScope::~SystemdScope() = default;

const fs::path& SystemdScope::group() const
{
    return m_state->group;
}

Result<std::shared_ptr<SystemdScope>> SystemdScope::make(
    const CgroupWorld& world, const Hierarchy& v2, std::chrono::milliseconds limit)
{
    if (!hasUserInstance(world))
        return Error{ErrorKind::NotFound, "no user instance of systemd"};
    std::optional<Ends> input = makePipe();
    std::optional<Ends> errors = makePipe();
    if (!input || !errors)
        return Error{ErrorKind::Io, std::string("no pipe: ") + std::strerror(errno)};
    auto state = std::make_unique<State>();
    const std::string unit = unitName();
    if (const int error = spawnHolder(unit, input->read.get(), errors->write.get(), state->holder); error != 0)
        return Error{ErrorKind::NotFound, std::string("systemd-run does not start: ") + std::strerror(error)};
    state->input = std::move(input->write);
    state->errors = std::move(errors->read);
    input->read.reset();
    errors->write.reset();
    const std::int64_t until = monotonicNs() + std::chrono::nanoseconds(limit).count();
    for (std::optional<fs::path> group; !group; ::poll(nullptr, 0, 2)) {
        group = scopeOf(world, v2, state->holder, unit);
        if (group)
            state->group = *group;
        else if (::waitpid(state->holder, nullptr, WNOHANG) == state->holder) {
            state->holder = -1;
            return Error{ErrorKind::Io, "systemd-run made no scope: " + whatItSaid(state->errors)};
        } else if (monotonicNs() >= until)
            return Error{ErrorKind::Timeout, "systemd-run made no scope within " + formatDuration(limit)};
    }
    // The group that has processes of its own may not pass controllers on: the holder gets a leaf.
    const fs::path leaf = state->group / "holder";
    if (const int error = world.make(leaf); error != 0)
        return Error{ErrorKind::Io, "cannot make " + toUtf8(leaf.string()) + ": " + std::strerror(error)};
    if (const int error = writeValue(leaf / "cgroup.procs", std::to_string(state->holder)); error != 0)
        return Error{ErrorKind::Io, "cannot move into " + toUtf8(leaf.string()) + ": " + std::strerror(error)};
    return std::shared_ptr<SystemdScope>(new SystemdScope(std::move(state)));
}

} // namespace loadlab
