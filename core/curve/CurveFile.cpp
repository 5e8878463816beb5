#include "core/curve/CurveFile.h"

#include "core/Descriptor.h"
#include "core/Text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace loadlab {
namespace {

constexpr std::size_t kMostLineBytes = std::size_t{1} << 20;
constexpr std::size_t kMostQuoted = 40;
constexpr double kGB = 1e9;

std::string_view cellOf(std::string_view text)
{
    const auto isSpace = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && isSpace(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && isSpace(text.back()))
        text.remove_suffix(1);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return text;
}

/// Cells of a line; a comma inside double quotes parts nothing.
void splitCells(std::string_view line, std::vector<std::string_view>& cells)
{
    cells.clear();
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"')
            quoted = !quoted;
        if (line[i] != ',' || quoted)
            continue;
        cells.push_back(cellOf(line.substr(begin, i - begin)));
        begin = i + 1;
    }
    cells.push_back(cellOf(line.substr(begin)));
}

std::string shortQuote(std::string_view text)
{
    const bool cut = text.size() > kMostQuoted;
    return "'" + toUtf8(text.substr(0, kMostQuoted)) + (cut ? "…'" : "'");
}

/// A column that is wanted: where it stands, and what one is worth.
struct Source {
    std::size_t index = 0;
    std::string name;
    double unit = 1;
};

/// The lines of one file become a curve.
class TableReader {
public:
    explicit TableReader(std::string name)
        : m_name(std::move(name))
    {
    }
    Result<void> addLine(std::string_view line);
    Result<CurveFile> finish();
    [[nodiscard]] Error at(const std::string& why) const
    {
        return {ErrorKind::Invalid, m_name + ":" + std::to_string(m_line) + ": " + why};
    }
    void countLine() { ++m_line; }

private:
    Result<void> readHeader();
    Result<void> readRow();
    Result<void> refuseAnotherRun();
    [[nodiscard]] Result<std::optional<double>> number(const Source& source) const;
    [[nodiscard]] std::optional<Source> find(std::string_view name, double unit) const;
    [[nodiscard]] std::optional<Source> findOne(std::string_view bytes, std::string_view gigabytes) const;
    [[nodiscard]] std::string wantedColumns() const;

    std::string m_name;
    std::size_t m_line = 0;
    std::vector<std::string_view> m_cells;
    std::vector<std::string> m_header;
    std::optional<Source> m_run, m_time, m_used, m_resident, m_swap;
    std::optional<std::string> m_onlyRun;
    CurveFile m_curve;
};

std::optional<Source> TableReader::find(std::string_view name, double unit) const
{
    const auto found = std::ranges::find(m_header, name);
    if (found == m_header.end())
        return std::nullopt;
    return Source{static_cast<std::size_t>(found - m_header.begin()), std::string(name), unit};
}

std::optional<Source> TableReader::findOne(std::string_view bytes, std::string_view gigabytes) const
{
    const auto exact = find(bytes, 1);
    return exact ? exact : find(gigabytes, kGB);
}

std::string TableReader::wantedColumns() const
{
    std::string text = "the first line must name the columns, with commas between: t_s and used_bytes, used_gb or "
                       "tree_bytes (as 'loadlab samples RUN' writes them)";
    std::string there;
    for (const std::string& name : m_header)
        there += (there.empty() ? "" : ",") + name;
    return text + "; it is " + shortQuote(there);
}

Result<void> TableReader::readHeader()
{
    for (const std::string_view cell : m_cells)
        m_header.emplace_back(cell);
    m_time = find("t_s", 1);
    m_used = findOne("used_bytes", "used_gb");
    if (!m_used)
        m_used = find("tree_bytes", 1);
    m_resident = findOne("rss_bytes", "rss_gb");
    m_swap = findOne("swap_bytes", "swap_gb");
    m_run = find("run", 1);
    if (!m_time || (!m_used && !m_resident))
        return at(wantedColumns());
    for (const auto* source : {&m_run, &m_time, &m_used, &m_resident, &m_swap})
        if (*source && std::ranges::count(m_header, (*source)->name) > 1)
            return at("there are two columns " + shortQuote((*source)->name) + ": leave one, or rename the other");
    m_curve.usedColumn = m_used ? m_used->name : m_swap ? "rss + swap" : m_resident->name;
    return {};
}

Result<std::optional<double>> TableReader::number(const Source& source) const
{
    const std::string_view cell = m_cells[source.index];
    if (cell.empty())
        return std::optional<double>();
    const std::string_view digits = cell.front() == '+' ? cell.substr(1) : cell;
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size())
        return at(shortQuote(cell) + " in column " + source.name
            + " is no number: a decimal point, no unit and no thousands separator; empty where nothing was measured");
    if (std::isnan(value))
        return std::optional<double>();
    if (std::fabs(value * source.unit) > 4e18)
        return at(shortQuote(cell) + " in column " + source.name + " is larger than anything that can be measured");
    return std::optional(value * source.unit);
}

/// Every run has a time axis of its own: on one they would be a single curve that no run ever had.
Result<void> TableReader::refuseAnotherRun()
{
    if (!m_run)
        return {};
    const std::string_view run = m_cells[m_run->index];
    if (!m_onlyRun)
        m_onlyRun = run;
    if (run == *m_onlyRun)
        return {};
    return at("here begins another run (column run: " + shortQuote(run) + " after " + shortQuote(*m_onlyRun)
        + "), and phases are one run's: write one alone, with 'loadlab samples RUN' or 'loadlab export RUN'");
}

Result<void> TableReader::readRow()
{
    if (m_cells.size() != m_header.size())
        return at("this line has " + std::to_string(m_cells.size()) + " cells, the header "
            + std::to_string(m_header.size())
            + ": give it as many, or delete the line if the recording was cut off in it");
    if (auto done = refuseAnotherRun(); !done)
        return done;
    const auto time = number(*m_time);
    if (!time)
        return time.error();
    if (!*time) {
        const std::string_view cell = m_cells[m_time->index];
        return at("column t_s is " + (cell.empty() ? "empty" : shortQuote(cell) + ", no number")
            + ": every row needs its time in seconds");
    }
    const auto read = [&](const std::optional<Source>& source, std::optional<double>& value) -> Result<void> {
        if (!source)
            return {};
        const auto got = number(*source);
        if (!got)
            return got.error();
        if (*got && **got < 0)
            return at(
                shortQuote(m_cells[source->index]) + " in column " + source->name + " is negative: memory never is");
        value = *got;
        return {};
    };
    std::optional<double> used, resident, swap;
    for (const auto& [source, value] :
        {std::pair(&m_used, &used), std::pair(&m_resident, &resident), std::pair(&m_swap, &swap)})
        if (auto done = read(*source, *value); !done)
            return done;
    if (!m_used && resident)
        used = *resident + swap.value_or(0);
    if (used)
        m_curve.used.push_back({**time, *used});
    if (resident)
        m_curve.resident.push_back({**time, *resident});
    if (swap)
        m_curve.swap.push_back({**time, *swap});
    return {};
}

Result<void> TableReader::addLine(std::string_view line)
{
    countLine();
    if (m_line == 1 && line.starts_with("\xEF\xBB\xBF"))
        line.remove_prefix(3);
    if (line.find('\0') != std::string_view::npos || line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF"))
        return at("this is no text in UTF-8 (a NUL or a mark of UTF-16 stands in it): save it as CSV in UTF-8");
    if (cellOf(line).empty() || line.front() == '#')
        return {};
    splitCells(line, m_cells);
    return m_header.empty() ? readHeader() : readRow();
}

void keepHighestOfEachTime(std::vector<Point>& points)
{
    std::ranges::sort(points, [](const Point& a, const Point& b) { return a.x < b.x || (a.x == b.x && a.y > b.y); });
    const auto [first, last] = std::ranges::unique(points, {}, &Point::x);
    points.erase(first, last);
}

Result<CurveFile> TableReader::finish()
{
    if (m_header.empty())
        return Error{ErrorKind::Invalid, m_name + ": the file is empty; " + wantedColumns()};
    if (m_curve.used.empty())
        return Error{ErrorKind::Invalid,
            m_name + ": no row has a value in " + m_curve.usedColumn + ": there is nothing to find phases in"};
    for (auto* points : {&m_curve.used, &m_curve.resident, &m_curve.swap})
        keepHighestOfEachTime(*points);
    return std::move(m_curve);
}

Error cannot(const std::string& name, const char* what, int error)
{
    return {error == ENOENT || error == ENOTDIR ? ErrorKind::NotFound : ErrorKind::Io,
        name + ": cannot be " + what + ": " + std::strerror(error)};
}

Result<Descriptor> openFile(const std::filesystem::path& file, const std::string& name)
{
    // Without O_NONBLOCK opening a pipe waits for its other end.
    Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!descriptor)
        return cannot(name, "opened", errno);
    struct stat about { };
    if (::fstat(descriptor.get(), &about) != 0)
        return cannot(name, "looked at", errno);
    if (S_ISDIR(about.st_mode))
        return Error{ErrorKind::Invalid, name + ": this is a folder; name a CSV file in it"};
    if (!S_ISREG(about.st_mode))
        return Error{ErrorKind::Invalid, name + ": this is no regular file; write the table into one first"};
    return descriptor;
}

} // namespace

Result<CurveFile> readCurveFile(const std::filesystem::path& file)
{
    const std::string name = toUtf8(file.native());
    auto descriptor = openFile(file, name);
    if (!descriptor)
        return std::move(descriptor).error();
    TableReader table(name);
    std::string text;
    std::vector<char> buffer(std::size_t{256} << 10);
    for (;;) {
        const ssize_t got = ::read(descriptor->get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cannot(name, "read", errno);
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (got == 0 && !text.empty() && text.back() != '\n')
            text += '\n';
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
            if (auto done = table.addLine(std::string_view(text).substr(begin, end - begin)); !done)
                return std::move(done).error();
        text.erase(0, begin);
        if (text.size() > kMostLineBytes) {
            table.countLine();
            return table.at("this line is longer than 1 MiB: this is no table of samples");
        }
        if (got == 0)
            return table.finish();
    }
}

} // namespace loadlab
