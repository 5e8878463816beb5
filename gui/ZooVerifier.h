#pragma once

#include "core/checkpoint/DeepCheck.h"
#include "gui/Background.h"

#include <QObject>
#include <QTimer>

#include <filesystem>
#include <memory>
#include <stop_token>

namespace loadlab {

/// Reads every byte of one checkpoint on a thread of its own and looks whether it is what it should be
/// (core/checkpoint/DeepCheck.h). One at a time: a new one ends the one before, whose result is dropped. GUI thread.
class ZooVerifier : public QObject {
    Q_OBJECT

public:
    struct Progress {
        std::uint64_t doneBytes = 0;
        std::uint64_t totalBytes = 0; ///< 0: not known yet.
        double seconds = 0;
    };

    /// `families` outlives this object.
    explicit ZooVerifier(const FamilyCatalog& families, QObject* parent = nullptr);
    ~ZooVerifier() override; ///< Stops, and waits for the piece (a few MiB) at hand.

    void verify(std::shared_ptr<const Checkpoint> checkpoint);
    void cancel();
    /// What is being read; null: nothing is.
    [[nodiscard]] const std::shared_ptr<const Checkpoint>& checkpoint() const { return m_checkpoint; }
    [[nodiscard]] Progress progress() const;

Q_SIGNALS:
    void changed(); ///< It began, moved on or ended.
    /// A fresh look at the checkpoint with what was found by reading all of it.
    void verified(const std::shared_ptr<const loadlab::Checkpoint>& checkpoint, const loadlab::DeepReport& report);
    void failed(const loadlab::Error& error); ///< It could not even be looked into.

private:
    struct Tally;
    struct Read;
    void take(const std::shared_ptr<Tally>& tally, Result<Read> read);

    const FamilyCatalog& m_families;
    std::shared_ptr<const Checkpoint> m_checkpoint;
    std::shared_ptr<Tally> m_tally; ///< Of the newest one.
    std::stop_source m_stop;
    QTimer m_tick;
    Background m_background;
};

} // namespace loadlab
