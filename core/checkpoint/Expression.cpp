#include "core/checkpoint/Expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace loadlab {
namespace {

using Op = Expression::Op;

struct Operator {
    std::string_view sign;
    Op op;
};

constexpr std::array kComparisons{
    Operator{"==", Op::Equal},
    Operator{"!=", Op::Unequal},
    Operator{"<=", Op::LessEqual},
    Operator{">=", Op::GreaterEqual},
    Operator{"<", Op::Less},
    Operator{">", Op::Greater},
};
constexpr std::array kSums{Operator{"+", Op::Add}, Operator{"-", Op::Subtract}};
constexpr std::array kProducts{
    Operator{"*", Op::Multiply}, Operator{"/", Op::Divide}, Operator{"%", Op::Modulo}, Operator{">>", Op::ShiftRight}};

/// Numbers that an evaluation may hold at once; a deeper expression is refused at compilation.
constexpr std::size_t kMaxStack = 32;

bool isWordCharacter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Recursive descent into postfix steps. Nesting is limited, since family files are data that anybody may write.
class Compiler {
public:
    Compiler(std::string_view text, std::span<const std::string> names)
        : m_text(text)
        , m_names(names)
    {
    }

    Result<std::vector<Expression::Step>> compile()
    {
        disjunction();
        skipSpaces();
        if (m_problem.empty() && m_at < m_text.size())
            fail("'" + std::string(m_text.substr(m_at)) + "' is left over");
        if (!m_problem.empty())
            return Error{ErrorKind::Invalid, "expression '" + std::string(m_text) + "': " + m_problem};
        return std::move(m_steps);
    }

private:
    void skipSpaces()
    {
        while (m_at < m_text.size() && m_text[m_at] == ' ')
            ++m_at;
    }
    bool take(std::string_view sign)
    {
        skipSpaces();
        if (m_text.substr(m_at, sign.size()) != sign)
            return false;
        const std::size_t end = m_at + sign.size();
        if (isWordCharacter(sign.back()) && end < m_text.size() && isWordCharacter(m_text[end]))
            return false;
        m_at = end;
        return true;
    }
    void expect(std::string_view sign)
    {
        if (!take(sign))
            fail("'" + std::string(sign) + "' is missing");
    }
    void fail(std::string problem)
    {
        if (m_problem.empty())
            m_problem = std::move(problem);
        m_at = m_text.size();
    }
    void step(Op op, std::int64_t argument = 0)
    {
        m_steps.push_back({op, argument});
        const bool leaf = op == Op::Push || op == Op::Name || op == Op::Length;
        const bool unary = op == Op::At || op == Op::Has || op == Op::Not;
        m_height = leaf ? m_height + 1 : unary ? m_height : m_height - 1;
        if (m_height > kMaxStack)
            fail("too long");
    }
    std::string_view word()
    {
        skipSpaces();
        const std::size_t begin = m_at;
        while (m_at < m_text.size() && isWordCharacter(m_text[m_at]))
            ++m_at;
        return m_text.substr(begin, m_at - begin);
    }
    std::int64_t name(std::string_view word)
    {
        const auto found = std::find(m_names.begin(), m_names.end(), word);
        if (found == m_names.end())
            fail("no value is named '" + std::string(word) + "'");
        return found - m_names.begin();
    }

    void disjunction()
    {
        conjunction();
        while (take("or")) {
            conjunction();
            step(Op::Or);
        }
    }
    void conjunction()
    {
        negation();
        while (take("and")) {
            negation();
            step(Op::And);
        }
    }
    void negation()
    {
        if (++m_depth > 100)
            return fail("nested too deep");
        if (take("not")) {
            negation();
            step(Op::Not);
        } else {
            comparison();
        }
        --m_depth;
    }
    void comparison()
    {
        chain(kSums, [this] { chain(kProducts, [this] { primary(); }); });
        for (const Operator& comparison : kComparisons)
            if (take(comparison.sign)) {
                chain(kSums, [this] { chain(kProducts, [this] { primary(); }); });
                step(comparison.op);
                return;
            }
    }
    template <std::size_t N, typename F> void chain(const std::array<Operator, N>& operators, F&& operand)
    {
        operand();
        for (bool more = true; more;) {
            more = false;
            for (const Operator& candidate : operators)
                if (!more && take(candidate.sign)) {
                    operand();
                    step(candidate.op);
                    more = true;
                }
        }
    }
    void primary()
    {
        if (take("(")) {
            disjunction();
            expect(")");
        } else {
            const std::string_view token = word();
            if (token.empty())
                fail("a value is missing");
            else if (token.front() >= '0' && token.front() <= '9')
                number(token);
            else
                named(token);
        }
    }
    void number(std::string_view token)
    {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
        if (error != std::errc{} || end != token.data() + token.size())
            fail("'" + std::string(token) + "' is no whole number");
        step(Op::Push, value);
    }
    void named(std::string_view token)
    {
        if (token == "len" && take("(")) {
            step(Op::Length, name(word()));
            expect(")");
        } else if (token == "has" && take("(")) {
            const std::int64_t list = name(word());
            expect(",");
            disjunction();
            expect(")");
            step(Op::Has, list);
        } else if (const std::int64_t index = name(token); take("[")) {
            disjunction();
            expect("]");
            step(Op::At, index);
        } else {
            step(Op::Name, index);
        }
    }

    std::string_view m_text;
    std::span<const std::string> m_names;
    std::size_t m_at = 0;
    int m_depth = 0;
    std::size_t m_height = 0;
    std::vector<Expression::Step> m_steps;
    std::string m_problem;
};

std::int64_t floorDivide(std::int64_t a, std::int64_t b)
{
    const std::int64_t quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

/// The stack machine behind Expression::evaluate. Each function returns false with problem set.
struct Machine {
    std::span<const Binding> bindings;
    std::array<std::int64_t, kMaxStack> stack{};
    std::size_t height = 0;
    std::string problem{};

    bool fail(std::string reason)
    {
        problem = std::move(reason);
        return false;
    }
    std::int64_t pop() { return stack[--height]; }
    void push(std::int64_t value) { stack[height++] = value; }
    const Binding& binding(const Expression::Step& step) const
    {
        return bindings[static_cast<std::size_t>(step.argument)];
    }

    bool load(const Expression::Step& step);
    bool binary(Op op);
    bool run(const Expression::Step& step);
};

bool Machine::load(const Expression::Step& step)
{
    const Binding& named = binding(step);
    if (step.op == Op::Name) {
        if (!named.number)
            return fail(named.list ? "a list stands where a number is needed" : named.absence);
        push(*named.number);
        return true;
    }
    if (!named.list)
        return fail(named.number ? "a number stands where a list is needed" : named.absence);
    const std::vector<std::int64_t>& list = *named.list;
    if (step.op == Op::Length) {
        push(static_cast<std::int64_t>(list.size()));
        return true;
    }
    const std::int64_t operand = pop();
    if (step.op == Op::Has) {
        push(std::find(list.begin(), list.end(), operand) != list.end() ? 1 : 0);
        return true;
    }
    if (operand < 0 || static_cast<std::size_t>(operand) >= list.size())
        return fail("index " + std::to_string(operand) + " of a list of " + std::to_string(list.size()));
    push(list[static_cast<std::size_t>(operand)]);
    return true;
}

bool Machine::binary(Op op)
{
    const std::int64_t b = pop();
    const std::int64_t a = pop();
    std::int64_t result = 0;
    bool overflow = false;
    switch (op) {
    case Op::Add:
        overflow = __builtin_add_overflow(a, b, &result);
        break;
    case Op::Subtract:
        overflow = __builtin_sub_overflow(a, b, &result);
        break;
    case Op::Multiply:
        overflow = __builtin_mul_overflow(a, b, &result);
        break;
    case Op::Divide:
    case Op::Modulo:
        if (b <= 0)
            return fail("division by " + std::to_string(b));
        result = op == Op::Divide ? floorDivide(a, b) : a - b * floorDivide(a, b);
        break;
    case Op::ShiftRight:
        if (b < 0 || b > 62)
            return fail("shift by " + std::to_string(b));
        result = a >> b;
        break;
    case Op::Equal:
        result = a == b;
        break;
    case Op::Unequal:
        result = a != b;
        break;
    case Op::Less:
        result = a < b;
        break;
    case Op::LessEqual:
        result = a <= b;
        break;
    case Op::Greater:
        result = a > b;
        break;
    case Op::GreaterEqual:
        result = a >= b;
        break;
    case Op::And:
        result = a != 0 && b != 0;
        break;
    default:
        result = a != 0 || b != 0;
        break; // Op::Or
    }
    push(result);
    return !overflow || fail("the result needs more than 63 bits");
}

bool Machine::run(const Expression::Step& step)
{
    switch (step.op) {
    case Op::Push:
        push(step.argument);
        return true;
    case Op::Name:
    case Op::At:
    case Op::Length:
    case Op::Has:
        return load(step);
    case Op::Not:
        push(pop() == 0 ? 1 : 0);
        return true;
    default:
        return binary(step.op);
    }
}

} // namespace

Result<Expression> Expression::compile(std::string_view text, std::span<const std::string> names)
{
    Result<std::vector<Step>> steps = Compiler(text, names).compile();
    if (!steps)
        return steps.error();
    Expression expression;
    expression.m_text = text;
    expression.m_steps = std::move(*steps);
    return expression;
}

Expression Expression::constant(std::int64_t number)
{
    Expression expression;
    expression.m_text = std::to_string(number);
    expression.m_steps = {{Op::Push, number}};
    return expression;
}

Result<std::int64_t> Expression::evaluate(std::span<const Binding> bindings) const
{
    Machine machine{bindings};
    for (const Step& step : m_steps)
        if (!machine.run(step))
            return Error{ErrorKind::Invalid, machine.problem + " (in '" + m_text + "')"};
    return machine.pop();
}

bool Expression::usesFrom(std::size_t index) const
{
    return std::any_of(m_steps.begin(), m_steps.end(), [index](const Step& step) {
        const bool named = step.op == Op::Name || step.op == Op::At || step.op == Op::Length || step.op == Op::Has;
        return named && static_cast<std::size_t>(step.argument) >= index;
    });
}

} // namespace loadlab
