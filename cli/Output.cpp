#include "cli/Output.h"

#include "core/Text.h"

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

namespace loadlab::cli {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{64} << 10;

/// Writes all of it; errno of the failure, or 0.
int writeAll(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

bool isSet(const char* variable)
{
    const char* value = std::getenv(variable);
    return value && *value;
}

bool terminalHasColours()
{
    const char* kind = std::getenv("TERM");
    return kind && *kind && std::string_view(kind) != "dumb" && !isSet("NO_COLOR");
}

std::string_view codeOf(Paint paint)
{
    switch (paint) {
    case Paint::Good:
        return "\x1b[32m";
    case Paint::Bad:
        return "\x1b[31m";
    case Paint::Warn:
        return "\x1b[33m";
    case Paint::Strong:
        return "\x1b[1m";
    case Paint::Faint:
        return "\x1b[2m";
    case Paint::Plain:
        break;
    }
    return {};
}

/// The code point at `at` of valid UTF-8, and where the next one begins.
char32_t decode(std::string_view text, std::size_t at, std::size_t& next)
{
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(at);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    next = std::min(text.size(), at + length);
    char32_t point = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (std::size_t i = at + 1; i < next; ++i)
        point = (point << 6) | (byte(i) & 0x3Fu);
    return point;
}

/// What turns the order of the text around it: U+202E makes "exe.txt" of a name that ends in "txt.exe".
bool turnsText(char32_t point)
{
    return point == 0x61C || point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E)
        || (point >= 0x2066 && point <= 0x2069);
}

/// Valid UTF-8 in which no byte commands a terminal, but for those of `kept`.
std::string withoutControls(std::string_view bytes, std::string_view kept)
{
    const std::string text = toUtf8(bytes);
    std::string out;
    for (std::size_t at = 0, next = 0; at < text.size(); at = next) {
        const char32_t point = decode(text, at, next);
        const char c = text[at];
        if ((point < 0x20 || point == 0x7F) && kept.find(c) == std::string_view::npos)
            out += {'^', static_cast<char>(c ^ 0x40)};
        else if ((point >= 0x80 && point < 0xA0) || turnsText(point)) // U+009B is one byte's "ESC [" to many terminals
            out += "\uFFFD";
        else
            out.append(text, at, next - at);
    }
    return out;
}

std::size_t widthOf(char32_t point)
{
    // wcwidth() knows wide and combining characters only under a UTF-8 locale, whatever the user's is.
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (point < 0x7F || !utf8)
        return 1;
    const locale_t before = ::uselocale(utf8);
    const int width = ::wcwidth(static_cast<wchar_t>(point));
    ::uselocale(before);
    return width < 0 ? 1 : static_cast<std::size_t>(width);
}

} // namespace

Output::Output()
    : m_terminal(::isatty(STDOUT_FILENO) == 1)
    , m_sharedTerminal(m_terminal && ::isatty(STDERR_FILENO) == 1)
    , m_colour(m_terminal && terminalHasColours())
{
}

void Output::setOptions(const Options& options)
{
    m_options = options;
    m_colour = m_terminal && options.colour && terminalHasColours();
}

void Output::print(std::string_view text)
{
    if (m_gone || m_errno != 0)
        return;
    m_buffer += isUtf8(text) ? std::string(text) : toUtf8(text);
    if (m_buffer.size() >= kFlushBytes)
        flush();
}

std::string Output::shown(std::string_view bytes) const
{
    return m_terminal ? printable(bytes) : std::string(bytes);
}

void Output::printJson(const nlohmann::json& document)
{
    print(document.dump(m_terminal ? 2 : -1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void Output::printJsonLine(const nlohmann::json& document)
{
    print(document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void Output::flush()
{
    const int failure = writeAll(STDOUT_FILENO, m_buffer);
    m_buffer.clear();
    if (failure == EPIPE)
        m_gone = true;
    else if (failure != 0)
        m_errno = failure;
}

void Output::note(std::string_view text)
{
    if (!m_options.quiet)
        error(text);
}

void Output::error(std::string_view text)
{
    // On a terminal a progress line may stand there. A stderr that cannot be written leaves nobody to tell.
    const std::string_view clear = m_sharedTerminal ? "\r\x1b[K" : "";
    (void)writeAll(STDERR_FILENO, std::string(clear) + withoutControls("loadlab: " + std::string(text), "\n") + "\n");
}

std::size_t Output::width() const
{
    winsize size{};
    if (m_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 100;
}

std::string Output::painted(Paint paint, std::string_view text) const
{
    if (!m_colour || paint == Paint::Plain)
        return std::string(text);
    return std::string(codeOf(paint)) + std::string(text) + "\x1b[0m";
}

int Output::finish(int code)
{
    flush();
    if (m_errno == 0)
        return code;
    error(std::string("stdout could not be written: ") + std::strerror(m_errno)
        + ". What was asked for was done, but not shown.");
    return 3;
}

void secureStandardStreams()
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            // Not to be written to: what is asked for and cannot be printed is told.
            (void)::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    // A handler is reset by exec; SIG_IGN would be inherited by every program that we start.
    struct sigaction nothing { };
    nothing.sa_handler = [](int) {};
    nothing.sa_flags = SA_RESTART;
    ::sigaction(SIGPIPE, &nothing, nullptr);
}

std::string printable(std::string_view bytes)
{
    return withoutControls(bytes, "");
}

std::size_t displayWidth(std::string_view utf8)
{
    std::size_t width = 0;
    for (std::size_t at = 0; at < utf8.size();)
        width += widthOf(decode(utf8, at, at));
    return width;
}

std::string shortened(std::string_view utf8, std::size_t columns)
{
    if (displayWidth(utf8) <= columns || columns == 0)
        return std::string(utf8);
    std::size_t width = 0;
    std::size_t at = 0;
    while (at < utf8.size()) {
        std::size_t next = at;
        const std::size_t wide = widthOf(decode(utf8, at, next));
        if (width + wide > columns - 1)
            break;
        width += wide;
        at = next;
    }
    return std::string(utf8.substr(0, at)) + "…";
}

} // namespace loadlab::cli
