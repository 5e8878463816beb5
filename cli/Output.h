#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace loadlab::cli {

enum class Paint { Plain, Good, Bad, Warn, Strong, Faint };

/// stdout and stderr of this program. Everything leaves as valid UTF-8. Bars, colours and aligned tables only where
/// stdout is a terminal. Writing never ends the program: a reader that went away is remembered, the work goes on.
/// print… and flush: one thread at a time; note and error: any thread.
class Output {
public:
    struct Options {
        bool quiet = false; ///< No notes, no progress.
        bool colour = true; ///< As far as the terminal and NO_COLOR allow.
    };

    Output();
    void setOptions(const Options& options);

    void print(std::string_view text);
    void printLine(std::string_view text) { print(std::string(text) + "\n"); }
    /// Words from elsewhere, a file's name or a log's line: as they are for programs, printable() on a terminal.
    [[nodiscard]] std::string shown(std::string_view bytes) const;
    /// A line that is a path, as shown() has it.
    void printPath(const std::filesystem::path& path) { printLine(shown(path.native())); }
    /// One document and a newline; for eyes on a terminal it is indented.
    void printJson(const nlohmann::json& document);
    /// One document on one line: JSON Lines.
    void printJsonLine(const nlohmann::json& document);
    void flush();

    /// "loadlab: text" on stderr; nothing with quiet.
    void note(std::string_view text);
    /// "loadlab: text" on stderr. Of control characters only the newline stays: messages quote names of files.
    void error(std::string_view text);

    [[nodiscard]] bool isTerminal() const { return m_terminal; }
    [[nodiscard]] bool isQuiet() const { return m_options.quiet; }
    /// Columns of the terminal; 100 where there is none.
    [[nodiscard]] std::size_t width() const;
    /// The text between colour codes, or as it is.
    [[nodiscard]] std::string painted(Paint paint, std::string_view text) const;
    /// Whoever read stdout has closed it: printing more is useless.
    [[nodiscard]] bool readerIsGone() const { return m_gone; }
    /// Flushes; `code`, or 3 with a message when what was printed could not be written (a full disk).
    int finish(int code);

private:
    Options m_options;
    bool m_terminal = false;
    bool m_sharedTerminal = false; ///< stderr is one too: most likely the same.
    bool m_colour = false;
    bool m_gone = false;
    int m_errno = 0;
    std::string m_buffer;
};

/// Opens /dev/null for every standard descriptor that is closed, so that no file of ours gets its number, and keeps
/// SIGPIPE from ending the program without leaving it ignored for the programs that we start. First thing in main().
void secureStandardStreams();

/// For people: valid UTF-8 on one line; control characters (of a hostile file name, say) become visible as ^X, those
/// of the C1 set and those that change the direction of text U+FFFD.
std::string printable(std::string_view bytes);
/// Columns that the text takes on a terminal.
std::size_t displayWidth(std::string_view utf8);
/// At most `columns` wide; what is cut ends in "…".
std::string shortened(std::string_view utf8, std::size_t columns);

} // namespace loadlab::cli
