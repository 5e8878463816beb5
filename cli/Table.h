#pragma once

#include "cli/Output.h"

#include <string>
#include <vector>

namespace loadlab::cli {

/// Rows under titles. On a terminal aligned, with the flexible column cut to what the window has room for; elsewhere
/// tab-separated, uncut, with the titles as first line, for cut and awk.
class Table {
public:
    struct Column {
        std::string title;
        bool right = false; ///< Figures.
        bool flexible = false; ///< May be cut; at most one.
    };
    struct Cell {
        std::string text;
        Paint paint = Paint::Plain;
        Cell(std::string t, Paint p = Paint::Plain)
            : text(std::move(t))
            , paint(p)
        {
        }
        Cell(const char* t)
            : text(t)
        {
        }
    };

    explicit Table(std::vector<Column> columns);
    void add(std::vector<Cell> row); ///< As many cells as columns.
    [[nodiscard]] bool isEmpty() const { return m_rows.empty(); }
    void printTo(Output& out) const;

private:
    void printAligned(Output& out) const;
    [[nodiscard]] std::vector<std::size_t> widths(std::size_t room) const;

    std::vector<Column> m_columns;
    std::vector<std::vector<Cell>> m_rows;
};

} // namespace loadlab::cli
