#pragma once

#include <cstdint>

namespace loadlab {

/// What the processes of a tree hold of one kind of memory, in bytes.
struct Held {
    std::uint64_t sum = 0; ///< A page that several share counts in each.
    std::uint64_t largest = 0; ///< Of one process.
};

/// How much private memory (anonymous, swap) several processes take when what a fork shares with its relatives counts
/// once. Somebody who sees pages corrects the estimate; what the forks grow by after that counts in full.
class PrivateOnce {
public:
    /// `estimate`: by what each process tells of itself; `ofForks`: that part of it which the forks are taken to own.
    std::uint64_t count(const Held& held, std::uint64_t estimate, std::uint64_t ofForks);
    /// What it really took at the last count(), give or take `error`: an estimate within that stays.
    std::uint64_t correct(std::uint64_t bytes, std::uint64_t error = 0);
    /// The last count() is what the next correctTwice() speaks of.
    void ask() { m_asked = {m_held, m_estimate}; }
    /// So much was counted more than once at the time of ask(), or up to `error` more: a count that is too low is put
    /// right by the next correction, one that is too high would stay in the peak.
    std::uint64_t correctTwice(std::uint64_t bytes, std::uint64_t error = 0);
    /// By how much what forks are taken to share has changed since the moment that the last correction spoke of, and
    /// what that left in doubt.
    [[nodiscard]] std::uint64_t unsure() const;
    [[nodiscard]] const Held& held() const { return m_held; } ///< At the last count().

private:
    struct Asked {
        Held held;
        std::uint64_t estimate = 0;
    };
    [[nodiscard]] std::uint64_t counted() const;
    [[nodiscard]] std::int64_t shared() const;

    Held m_held;
    std::uint64_t m_estimate = 0;
    Asked m_asked;
    std::uint64_t m_ofForks = 0;
    std::int64_t m_correction = 0;
    std::int64_t m_toldShared = 0; ///< Of the estimate.
    std::uint64_t m_toldError = 0;
};

/// How much shared memory several processes take when a page that several have touched counts once. A process alone
/// cannot tell; until somebody does, they are taken to share all they can: that is put right while the memory is still
/// there, too high a peak would stay.
class SharedOnce {
public:
    std::uint64_t count(const Held& held);
    /// What processes with together `ofSum` really took, a moment ago.
    std::uint64_t correct(std::uint64_t bytes, std::uint64_t ofSum);
    /// How much of what is held now was not when somebody told, or the other way round; what the largest holds aside.
    [[nodiscard]] std::uint64_t unsure() const;
    [[nodiscard]] const Held& held() const { return m_held; } ///< At the last count().

private:
    [[nodiscard]] std::uint64_t counted() const;

    Held m_held;
    std::uint64_t m_told = 0;
    std::uint64_t m_toldSum = 0; ///< 0: nobody told.
    std::uint64_t m_toldLargest = 0;
};

} // namespace loadlab
