#pragma once

#include <cassert>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace loadlab {

/// What went wrong, for code. People read Error::message.
enum class ErrorKind { NotFound, Invalid, Io, Worker, Timeout, Cancelled };

struct Error {
    ErrorKind kind = ErrorKind::Invalid;
    std::string message; ///< One sentence that names the thing, the place and the way out. Valid UTF-8.

    /// The same error with what was being done in front: "load run 7: …".
    Error in(std::string_view doing) &&
    {
        message.insert(0, std::string(doing) + ": ");
        return std::move(*this);
    }
};

/// A value or an Error. The surface follows std::expected (C++23), which g++ 12 does not offer in C++20.
template <typename T> class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return m_state.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & { return checked(*this); }
    const T& value() const& { return checked(*this); }
    T&& value() && { return std::move(checked(*this)); }
    T& operator*() & { return checked(*this); }
    const T& operator*() const& { return checked(*this); }
    T&& operator*() && { return std::move(checked(*this)); }
    T* operator->() { return &checked(*this); }
    const T* operator->() const { return &checked(*this); }

    const Error& error() const& { return *failed(*this); }
    Error&& error() && { return std::move(*failed(*this)); }

    T value_or(T other) && { return has_value() ? std::move(**this) : std::move(other); }

    template <typename F> auto and_then(F&& f) && -> std::invoke_result_t<F, T&&>
    {
        if (has_value())
            return std::invoke(std::forward<F>(f), std::move(**this));
        return std::move(*this).error();
    }
    template <typename F> auto transform(F&& f) && -> Result<std::invoke_result_t<F, T&&>>
    {
        if (has_value())
            return std::invoke(std::forward<F>(f), std::move(**this));
        return std::move(*this).error();
    }

private:
    template <typename Self> static auto& checked(Self& self)
    {
        assert(self.has_value());
        return *std::get_if<0>(&self.m_state);
    }
    template <typename Self> static auto failed(Self& self)
    {
        assert(!self.has_value());
        return std::get_if<1>(&self.m_state);
    }
    std::variant<T, Error> m_state;
};

template <> class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    Result(Error error) : m_error(std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return !m_error; }
    explicit operator bool() const noexcept { return has_value(); }
    const Error& error() const& { return *m_error; }
    Error&& error() && { return std::move(*m_error); }

private:
    std::optional<Error> m_error;
};

} // namespace loadlab
