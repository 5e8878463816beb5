#include "core/ShellWords.h"

#include "core/Text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace loadlab {
namespace {

/// In $'…': what stands behind the backslash, and the byte that it means.
constexpr std::array<std::pair<char, char>, 8> kEscapes{
    {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'a', '\a'}, {'e', '\x1b'}, {'\\', '\\'}, {'\'', '\''}, {'"', '"'}}};
constexpr std::string_view kBlanks = " \t\n\r";
constexpr std::string_view kShellSigns = "|&;<>()$`*?[#~";

bool isPlain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
        || std::string_view("_-./:=,@%+").find(c) != std::string_view::npos;
}

bool isControl(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string quotedBytes(std::string_view word)
{
    std::string quoted = "$'";
    for (const char c : word) {
        const auto escape = std::ranges::find(kEscapes, c, &std::pair<char, char>::second);
        std::array<char, 8> hex{};
        if (escape != kEscapes.end() && c != '"') {
            quoted += {'\\', escape->first};
        } else if (isControl(c) || static_cast<unsigned char>(c) >= 0x80) {
            std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
            quoted += hex.data();
        } else {
            quoted += c;
        }
    }
    return quoted + "'";
}

/// Goes through a line once.
class Splitter {
public:
    explicit Splitter(std::string_view line)
        : m_line(line)
    {
    }

    Result<SplitLine> split()
    {
        while (m_at < m_line.size()) {
            const Result<void> taken = step();
            if (!taken)
                return taken.error();
        }
        endWord();
        return std::move(m_split);
    }

private:
    Result<void> step()
    {
        const char c = m_line[m_at];
        if (kBlanks.find(c) != kBlanks.npos) {
            endWord();
            ++m_at;
            return {};
        }
        if (c == '\'')
            return single();
        if (c == '"')
            return twofold();
        if (m_line.substr(m_at).starts_with("$'"))
            return bytes();
        if (c == '\\')
            return escaped();
        const bool onlyFirst = c == '#' || c == '~';
        if (kShellSigns.find(c) != kShellSigns.npos && !(onlyFirst && m_inWord))
            noteInert(c);
        add(c);
        ++m_at;
        return {};
    }

    Result<void> single()
    {
        const std::size_t close = m_line.find('\'', m_at + 1);
        if (close == m_line.npos)
            return unclosed("the quote '", m_at);
        m_word += m_line.substr(m_at + 1, close - m_at - 1);
        m_inWord = true;
        m_at = close + 1;
        return {};
    }

    /// In these a backslash keeps its place except before what it could save.
    Result<void> twofold()
    {
        const std::size_t open = m_at++;
        m_inWord = true;
        for (; m_at < m_line.size() && m_line[m_at] != '"'; ++m_at) {
            const char c = m_line[m_at];
            const char next = m_at + 1 < m_line.size() ? m_line[m_at + 1] : '\0';
            if (c == '\\' && std::string_view("\"\\$`").find(next) != std::string_view::npos)
                ++m_at;
            else if (c == '$' || c == '`')
                noteInert(c);
            m_word += m_line[m_at];
        }
        if (m_at == m_line.size())
            return unclosed("the quote \"", open);
        ++m_at;
        return {};
    }

    Result<void> bytes()
    {
        const std::size_t open = m_at;
        m_inWord = true;
        for (m_at += 2; m_at < m_line.size() && m_line[m_at] != '\''; ++m_at) {
            if (m_line[m_at] != '\\') {
                m_word += m_line[m_at];
            } else if (const Result<void> taken = byteEscape(); !taken) {
                return taken.error();
            }
        }
        if (m_at == m_line.size())
            return unclosed("the quote $'", open);
        ++m_at;
        return {};
    }

    /// At a backslash; afterwards at the last sign of what it began.
    Result<void> byteEscape()
    {
        const std::size_t backslash = m_at++;
        const char kind = m_at < m_line.size() ? m_line[m_at] : '\0';
        const auto known = std::ranges::find(kEscapes, kind, &std::pair<char, char>::first);
        if (known != kEscapes.end()) {
            m_word += known->second;
            return {};
        }
        std::string hex(m_line.substr(std::min(m_at + 1, m_line.size()), 2));
        std::ranges::transform(hex, hex.begin(), [](char c) { return c >= 'A' && c <= 'F' ? char(c + 32) : c; });
        const std::string byte = kind == 'x' ? fromHex(hex) : std::string();
        if (byte.size() != 1)
            return wrong("\\" + std::string(1, kind) + " in $'…' means nothing here (\\n, \\t, \\\\, \\' or \\xff do)",
                backslash);
        m_word += byte;
        m_at += 2;
        return {};
    }

    Result<void> escaped()
    {
        if (m_at + 1 == m_line.size())
            return wrong("the backslash has nothing behind it", m_at);
        add(m_line[m_at + 1]);
        m_at += 2;
        return {};
    }

    void add(char c)
    {
        m_word += c;
        m_inWord = true;
    }

    void endWord()
    {
        if (std::exchange(m_inWord, false))
            m_split.words.push_back(std::exchange(m_word, {}));
    }

    void noteInert(char c)
    {
        const std::string sign(1, c);
        if (std::ranges::find(m_split.inert, sign) == m_split.inert.end())
            m_split.inert.push_back(sign);
    }

    [[nodiscard]] Error wrong(const std::string& what, std::size_t at) const
    {
        const auto signs = std::ranges::count_if(
            m_line.substr(0, at), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
        return {ErrorKind::Invalid, what + ", at character " + std::to_string(signs + 1)};
    }
    [[nodiscard]] Error unclosed(const std::string& what, std::size_t at) const
    {
        return wrong(what + " is not closed", at);
    }

    std::string_view m_line;
    std::size_t m_at = 0;
    std::string m_word;
    bool m_inWord = false; ///< Also of an empty one: ''.
    SplitLine m_split;
};

} // namespace

std::string quotedForShell(std::string_view word)
{
    if (!word.empty() && std::ranges::all_of(word, isPlain))
        return std::string(word);
    if (std::ranges::any_of(word, isControl) || !isUtf8(word))
        return quotedBytes(word);
    std::string quoted = "'";
    for (const char c : word)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string shellLine(const std::vector<std::string>& words)
{
    std::string line;
    for (const std::string& word : words)
        line += (line.empty() ? "" : " ") + quotedForShell(word);
    return line;
}

Result<SplitLine> splitLikeShell(std::string_view line)
{
    return Splitter(line).split();
}

std::string shortenedInMiddle(std::string_view text, std::size_t most)
{
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    std::vector<std::size_t> starts;
    for (std::size_t at = 0; at < text.size(); ++at)
        if (begins(text[at]))
            starts.push_back(at);
    if (starts.size() <= most || most == 0)
        return std::string(text);
    const std::size_t tail = (most - 1) / 2;
    const std::size_t head = most - 1 - tail;
    return std::string(text.substr(0, starts[head])) + "…"
        + std::string(tail == 0 ? std::string_view() : text.substr(starts[starts.size() - tail]));
}

std::string programWords(const std::vector<std::string>& program, std::size_t most)
{
    if (program.empty())
        return {};
    std::vector<std::string> words = program;
    if (const std::string name = std::filesystem::path(words.front()).filename().string(); !name.empty())
        words.front() = name;
    return shortenedInMiddle(shellLine(words), most);
}

} // namespace loadlab
