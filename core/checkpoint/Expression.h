#pragma once

#include "core/Result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// What a name in an expression stands for: a number, a list of numbers, or nothing (with the reason).
struct Binding {
    std::optional<std::int64_t> number;
    std::optional<std::vector<std::int64_t>> list;
    std::string absence; ///< Why there is neither, e.g. "config.json lacks 'num_hidden_layers'".
};

/// Whole-number arithmetic over named values, as family files use it for shapes, counts and conditions:
/// + - * / % >> ( ) == != < <= > >= and or not, list[i], len(list), has(list, x). Division rounds down; conditions are
/// 1 or 0. Compiled once, evaluated often. Errors name the expression: overflow, division by 0, an index outside the
/// list, a name without a value.
class Expression {
public:
    /// `names`: the position of a name is its index among the bindings at evaluation.
    static Result<Expression> compile(std::string_view text, std::span<const std::string> names);
    static Expression constant(std::int64_t number);

    [[nodiscard]] Result<std::int64_t> evaluate(std::span<const Binding> bindings) const;
    /// Whether the value can change with any of the names at or after this index.
    [[nodiscard]] bool usesFrom(std::size_t index) const;
    [[nodiscard]] const std::string& text() const { return m_text; }

    enum class Op : std::uint8_t {
        Push,
        Name,
        At,
        Length,
        Has,
        Add,
        Subtract,
        Multiply,
        Divide,
        Modulo,
        ShiftRight,
        Equal,
        Unequal,
        Less,
        LessEqual,
        Greater,
        GreaterEqual,
        And,
        Or,
        Not
    };
    struct Step {
        Op op;
        std::int64_t argument; ///< Push: the number. Name, At, Length, Has: index of the name.
    };

private:
    std::string m_text;
    std::vector<Step> m_steps; ///< Postfix.
};

} // namespace loadlab
