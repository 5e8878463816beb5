#pragma once

#include "cli/Output.h"

#include <string>
#include <vector>

namespace loadlab::cli {

/// Rows under titles. On a terminal aligned: where its width does not do, columns are left out and the flexible one is
/// cut. Elsewhere tab-separated, whole, with the titles as first line, for cut and awk.
class Table {
public:
    struct Column {
        std::string title;
        bool right = false; ///< Figures.
        bool flexible = false; ///< May be cut; at most one.
        int dispensable = 0; ///< Left out where there is no room, the largest number first; 0: never.
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
    /// Of each column in `room` columns of the terminal; 0: left out.
    [[nodiscard]] std::vector<std::size_t> widths(std::size_t room) const;
    [[nodiscard]] std::vector<std::size_t> naturalWidths() const;

    std::vector<Column> m_columns;
    std::vector<std::vector<Cell>> m_rows;
};

} // namespace loadlab::cli
