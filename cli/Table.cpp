#include "cli/Table.h"

#include <algorithm>
#include <cassert>

namespace loadlab::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastFlexible = 12;
/// The flexible column gets so much, if it needs it, before others may stay: names often differ only in their ends.
constexpr std::size_t kReadable = 28;

} // namespace

Table::Table(std::vector<Column> columns)
    : m_columns(std::move(columns))
{
}

void Table::add(std::vector<Cell> row)
{
    assert(row.size() == m_columns.size());
    for (Cell& cell : row)
        cell.text = printable(cell.text);
    m_rows.push_back(std::move(row));
}

void Table::printTo(Output& out) const
{
    if (out.isTerminal())
        return printAligned(out);
    for (std::size_t i = 0; i < m_columns.size(); ++i)
        out.print((i ? "\t" : "") + m_columns[i].title);
    out.print("\n");
    for (const auto& row : m_rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            out.print((i ? "\t" : "") + row[i].text);
        out.print("\n");
    }
}

void Table::printAligned(Output& out) const
{
    const std::vector<std::size_t> width = widths(out.width());
    const auto shown
        = std::ranges::find_if(width.rbegin(), width.rend(), [](std::size_t columns) { return columns != 0; });
    const auto lastShown = static_cast<std::size_t>(width.rend() - shown) - 1;
    const auto print = [&](std::size_t column, const std::string& text, Paint paint) {
        if (width[column] == 0)
            return;
        const std::string fitted = shortened(text, width[column]);
        const std::size_t taken = displayWidth(fitted);
        const std::string padding(width[column] > taken ? width[column] - taken : 0, ' ');
        const bool last = column == lastShown;
        if (m_columns[column].right)
            out.print(padding + out.painted(paint, fitted));
        else
            out.print(out.painted(paint, fitted) + (last ? "" : padding));
        out.print(last ? "\n" : std::string(kGap, ' '));
    };
    for (std::size_t i = 0; i < m_columns.size(); ++i)
        print(i, m_columns[i].title, Paint::Faint);
    for (const auto& row : m_rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            print(i, row[i].text, row[i].paint);
}

std::vector<std::size_t> Table::naturalWidths() const
{
    std::vector<std::size_t> width;
    for (const Column& column : m_columns)
        width.push_back(displayWidth(column.title));
    for (const auto& row : m_rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            width[i] = std::max(width[i], displayWidth(row[i].text));
    return width;
}

std::vector<std::size_t> Table::widths(std::size_t room) const
{
    std::vector<std::size_t> width = naturalWidths();
    const auto flexible
        = static_cast<std::size_t>(std::ranges::find_if(m_columns, &Column::flexible) - m_columns.begin());
    /// What the others take, gaps included.
    const auto others = [&] {
        std::size_t taken = 0;
        for (std::size_t i = 0; i < width.size(); ++i)
            taken += i == flexible || width[i] == 0 ? 0 : width[i] + kGap;
        return flexible == width.size() ? taken - std::min(taken, kGap) : taken;
    };
    const std::size_t readable = flexible == width.size() ? 0 : std::min(width[flexible], kReadable);
    const auto rank = [&](std::size_t i) { return width[i] == 0 ? 0 : m_columns[i].dispensable; };
    while (others() + readable > room) {
        std::size_t next = 0;
        for (std::size_t i = 1; i < width.size(); ++i)
            next = rank(i) > rank(next) ? i : next;
        if (rank(next) == 0)
            break;
        width[next] = 0;
    }
    if (flexible != width.size())
        width[flexible] = std::min(width[flexible], std::max(kLeastFlexible, room - std::min(room, others())));
    return width;
}

} // namespace loadlab::cli
