#include "cli/Table.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace loadlab::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastFlexible = 12;

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
    const auto print = [&](std::size_t column, const std::string& text, Paint paint) {
        const std::string fitted = shortened(text, width[column]);
        const std::size_t taken = displayWidth(fitted);
        const std::string padding(width[column] > taken ? width[column] - taken : 0, ' ');
        const bool last = column + 1 == m_columns.size();
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

std::vector<std::size_t> Table::widths(std::size_t room) const
{
    std::vector<std::size_t> width;
    for (const Column& column : m_columns)
        width.push_back(displayWidth(column.title));
    for (const auto& row : m_rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            width[i] = std::max(width[i], displayWidth(row[i].text));
    const std::size_t total = std::accumulate(width.begin(), width.end(), kGap * (width.size() - 1));
    const auto flexible = std::ranges::find_if(m_columns, &Column::flexible);
    if (total > room && flexible != m_columns.end()) {
        std::size_t& shrunk = width[static_cast<std::size_t>(flexible - m_columns.begin())];
        const std::size_t others = total - shrunk;
        shrunk = std::min(shrunk, std::max(kLeastFlexible, room > others ? room - others : 0));
    }
    return width;
}

} // namespace loadlab::cli
