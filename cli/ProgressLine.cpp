#include "cli/ProgressLine.h"

#include "core/Units.h"

#include <algorithm>
#include <array>

namespace loadlab::cli {
namespace {

constexpr std::chrono::milliseconds kRepaint{100};
constexpr std::chrono::milliseconds kRateWindow{500};

} // namespace

ProgressLine::ProgressLine(Output& out, bool wanted)
    : m_out(out)
    , m_shown(wanted && out.isTerminal() && !out.isQuiet())
{
}

ProgressLine::~ProgressLine()
{
    clear();
}

void ProgressLine::show(const std::string& text, bool now)
{
    const auto time = std::chrono::steady_clock::now();
    if (!m_shown || (!now && time < m_due))
        return;
    m_due = time + kRepaint;
    m_painted = true;
    m_out.print("\r" + shortened(text, m_out.width() - 1) + "\x1b[K");
    m_out.flush();
}

void ProgressLine::clear()
{
    if (!m_painted)
        return;
    m_painted = false;
    m_out.print("\r\x1b[K");
    m_out.flush();
}

std::string progressBar(std::uint64_t done, std::uint64_t total, std::size_t cells)
{
    static constexpr std::array<std::string_view, 8> parts{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (total == 0)
        return {};
    const double share = std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
    const auto eighths = static_cast<std::size_t>(share * static_cast<double>(cells) * 8.0);
    std::string bar = "▕";
    for (std::size_t i = 0; i < eighths / 8; ++i)
        bar += "█";
    bar += parts[eighths % 8];
    const std::size_t used = eighths / 8 + (eighths % 8 ? 1 : 0);
    bar += std::string(cells - std::min(cells, used), ' ') + "▏";
    std::string percent = std::to_string(static_cast<int>(share * 100.0));
    return bar + std::string(4 - percent.size(), ' ') + percent + " %";
}

void ByteRate::update(std::chrono::steady_clock::time_point now, std::uint64_t doneBytes)
{
    if (m_markTime == std::chrono::steady_clock::time_point() || doneBytes < m_markBytes) {
        m_markTime = now;
        m_markBytes = doneBytes;
    }
    m_bytes = doneBytes;
    const auto passed = now - m_markTime;
    if (passed < kRateWindow)
        return;
    const double fresh = static_cast<double>(doneBytes - m_markBytes) / std::chrono::duration<double>(passed).count();
    m_rate = m_rate > 0 ? 0.5 * m_rate + 0.5 * fresh : fresh;
    m_markTime = now;
    m_markBytes = doneBytes;
}

std::string ByteRate::left(std::uint64_t totalBytes) const
{
    if (m_rate <= 0 || totalBytes <= m_bytes)
        return {};
    const double seconds = static_cast<double>(totalBytes - m_bytes) / m_rate;
    if (seconds > 86400.0 * 30)
        return {};
    return formatDuration(std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9))) + " left";
}

std::string ByteRate::words(std::uint64_t totalBytes, std::size_t barCells) const
{
    std::string text
        = progressBar(m_bytes, totalBytes, barCells) + "  " + formatSize(m_bytes) + " of " + formatSize(totalBytes);
    if (m_rate > 0)
        text += "  " + formatRate(m_rate);
    if (const std::string remaining = left(totalBytes); !remaining.empty())
        text += "  " + remaining;
    return text;
}

} // namespace loadlab::cli
