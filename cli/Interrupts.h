#pragma once

#include <functional>
#include <memory>

namespace loadlab::cli {

/// Ctrl-C (and SIGTERM, SIGHUP) for work that ends in order. While one of these lives, every such signal calls
/// `onSignal` with its number in line (1, 2, …) on a thread of this object; the fourth ends the program at once with
/// 130, should even the killing hang. Without one the signals end the program as usual. One at a time.
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

} // namespace loadlab::cli
