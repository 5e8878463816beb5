#pragma once

#include "cli/Output.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace loadlab::cli {

/// One line on the terminal that is painted over, at most ten times a second; nothing where stdout is no terminal, with
/// --quiet and with --json. Cleared by clear() and at the end.
class ProgressLine {
public:
    ProgressLine(Output& out, bool wanted);
    ~ProgressLine();

    [[nodiscard]] bool isShown() const { return m_shown; }
    [[nodiscard]] std::size_t width() const { return m_out.width(); }
    /// Paints when it is due; `now` jumps the queue.
    void show(const std::string& text, bool now = false);
    void clear();

private:
    Output& m_out;
    bool m_shown;
    bool m_painted = false;
    std::chrono::steady_clock::time_point m_due{};
};

/// "▕███████▌        ▏ 47 %", `cells` wide without the edges. An unknown total (0) gives an empty string.
std::string progressBar(std::uint64_t done, std::uint64_t total, std::size_t cells);

/// Bytes so far, their rate over the last seconds and, from both, the time that is left.
class ByteRate {
public:
    void update(std::chrono::steady_clock::time_point now, std::uint64_t doneBytes);
    [[nodiscard]] double bytesPerSecond() const { return m_rate; }
    /// "3.20 s left"; empty while nothing can be said.
    [[nodiscard]] std::string left(std::uint64_t totalBytes) const;
    /// Bar, "47 %  221 MiB of 494 MiB", and as far as they are known "1.20 GiB/s  3.20 s left".
    [[nodiscard]] std::string words(std::uint64_t totalBytes, std::size_t barCells) const;

private:
    std::chrono::steady_clock::time_point m_markTime{};
    std::uint64_t m_markBytes = 0;
    std::uint64_t m_bytes = 0;
    double m_rate = 0;
};

} // namespace loadlab::cli
