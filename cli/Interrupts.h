#pragma once

#include <functional>
#include <memory>
#include <stop_token>

namespace loadlab::cli {

/// Ctrl-C (and SIGTERM, SIGHUP) for work that ends in order. While one of these lives, every such signal calls
/// `onSignal` with its number in line (1, 2, …) on a thread of this object; the fourth ends the program at once with
/// 130, should even the killing hang. One that was ignored when the program started (nohup) stays ignored. Without one
/// the signals end the program as usual. One at a time.
class Interrupts {
public:
    explicit Interrupts(std::function<void(int count)> onSignal);
    ~Interrupts();

    /// How many came so far.
    [[nodiscard]] int count() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// Interrupts that ask one piece of work to stop, the first as every later one.
class StopAtInterrupt {
public:
    StopAtInterrupt()
        : m_interrupts([this](int) { m_stop.request_stop(); })
    {
    }

    [[nodiscard]] std::stop_token token() const { return m_stop.get_token(); }
    /// Whether one came.
    [[nodiscard]] bool happened() const { return m_interrupts.count() > 0; }

private:
    std::stop_source m_stop;
    Interrupts m_interrupts;
};

} // namespace loadlab::cli
