#pragma once

#include <QMetaObject>
#include <QObject>
#include <QPointer>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

namespace loadlab {

/// One thread for what would hold up the window: files and SQL. Jobs run one after the other in the order in which they
/// were given; answers come back on the thread that made this object (the GUI thread). All calls from that thread.
class Background {
public:
    /// What becomes of jobs that were not begun when the object goes.
    enum class AtEnd { Drop, Finish };

    explicit Background(AtEnd atEnd);
    ~Background(); ///< Waits for the job at hand (Finish: for all). Answers on their way are dropped.
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    void post(std::function<void()> job);

    /// Runs `work()` on the thread, then `done(answer)` here, unless `context` died meanwhile. `work` must not throw.
    template <typename Work, typename Done> void ask(QObject* context, Work work, Done done)
    {
        using Answer = std::invoke_result_t<Work>;
        post([this, guard = QPointer<QObject>(context), work = std::move(work), done = std::move(done)] {
            auto answer = std::make_shared<Answer>(work());
            deliver([guard, done, answer] {
                if (guard)
                    done(std::move(*answer));
            });
        });
    }

private:
    void run();
    void deliver(std::function<void()> answer);

    const AtEnd m_atEnd;
    std::unique_ptr<QObject> m_receiver;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<std::function<void()>> m_jobs;
    bool m_ending = false;
    std::thread m_thread;
};

} // namespace loadlab
