#include "cli/Commands.h"
#include "cli/Interrupts.h"
#include "cli/Lab.h"
#include "cli/Options.h"
#include "cli/RunView.h"
#include "cli/TrialOrder.h"
#include "cli/VerdictCard.h"
#include "core/trial/TrialRunner.h"
#include "db/RunRecorder.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <nlohmann/json.hpp>

namespace loadlab::cli {
namespace {

/// Where Ctrl-C finds the load of the moment.
class CurrentRun {
public:
    void set(TrialRunner* runner)
    {
        const std::lock_guard lock(m_mutex);
        m_runner = runner;
    }
    /// False where no load is left to be ended.
    bool cancel(bool now)
    {
        const std::lock_guard lock(m_mutex);
        if (!m_runner || m_runner->finished())
            return false;
        m_runner->cancel(now);
        return true;
    }

private:
    std::mutex m_mutex;
    TrialRunner* m_runner = nullptr;
};

struct Outcome {
    RunResult result;
    std::optional<Error> storeError;
    CurveSoFar curve;
};

/// Everything that the runs of one command share.
class TrialSession {
public:
    TrialSession(Lab& lab, const TrialOrder& order)
        : m_lab(lab)
        , m_order(order)
        , m_rules(Rules::load(lab.locations.resources / "rules"))
        , m_interrupts([this](int count) { interrupted(count); })
    {
        for (const Error& error : m_rules.errors())
            lab.out.note("rules left out: " + error.message);
        m_surroundings.families = &lab.families();
        m_surroundings.rules = &m_rules;
        m_surroundings.machine = readMachine();
        m_surroundings.resources = lab.locations.resources;
        m_surroundings.containment = &lab.containment();
        m_surroundings.orphans = Orphans::All; // One run at a time, and this command starts nothing else.
    }

    [[nodiscard]] bool isInterrupted() const { return m_interrupts.count() > 0; }

    Outcome runOnce()
    {
        Outcome outcome;
        EventQueue queue;
        RunRecorder recorder(m_lab.database);
        TrialRunner runner(m_order.spec, m_surroundings, [&](const RunEvent& event) {
            recorder.onEvent(event);
            queue.push(event);
        });
        m_current.set(&runner);
        runner.start();
        if (isInterrupted()) // It may have come before there was anything to cancel.
            runner.cancel(false);
        watch(queue, recorder, outcome.curve);
        outcome.result = runner.wait();
        m_surroundings.before = QueueMemory::after(outcome.result, m_surroundings.before);
        m_current.set(nullptr);
        const Result<RunId> stored = recorder.finish();
        if (stored)
            outcome.result.run = *stored;
        else
            outcome.storeError = stored.error();
        return outcome;
    }

private:
    /// On the thread of the interrupts.
    void interrupted(int count)
    {
        const bool ending = m_current.cancel(count > 1);
        if (count == 1)
            m_lab.out.note("stopping the load in order (again: kill it at once)");
        else if (ending)
            m_lab.out.note(count == 2 ? "killing the load" : "waiting for the load to end (again: leave run and load)");
        else
            m_lab.out.note("still storing the run (again: leave it unstored)");
    }

    void watch(EventQueue& queue, const RunRecorder& recorder, CurveSoFar& curve)
    {
        FollowView follow(m_lab.out);
        ProgressView progress(m_lab.out, !m_order.follow && !m_lab.json);
        bool toldStore = false;
        for (bool finished = false; !finished;) {
            const std::vector<RunEvent> events = queue.take();
            if (m_order.follow)
                follow.show(events);
            for (const RunEvent& event : events) {
                curve.note(event);
                finished = finished || std::holds_alternative<RunFinished>(event.body);
            }
            progress.show(events, curve);
            if (const std::optional<Error> error = toldStore ? std::nullopt : recorder.error()) {
                progress.clear();
                m_lab.out.note("storing this run does not work (it goes on all the same): " + error->message);
                toldStore = true;
            }
        }
    }

    Lab& m_lab;
    const TrialOrder& m_order;
    Rules m_rules;
    TrialSurroundings m_surroundings;
    CurrentRun m_current;
    Interrupts m_interrupts; // Last: its thread uses the others.
};

/// 0 ok, 1 failure, 130 cancelled; 3 outdoes them all: the run is not there to be looked at again.
int worse(int a, int b)
{
    static constexpr std::array<int, 4> order{kDone, kFailed, kCancelled, kLabCannot};
    const auto rank = [](int code) { return std::ranges::find(order, code) - order.begin(); };
    return rank(a) < rank(b) ? b : a;
}

} // namespace

int run(Lab& lab, const Words& words)
{
    Result<TrialOrder> order = makeTrialOrder(lab, words);
    if (!order)
        return order.error().kind == ErrorKind::Invalid ? lab.wrongUsage(order.error().message)
                                                        : lab.failed(order.error());
    lab.closeLostRuns();
    becomeSubreaper();

    TrialSession session(lab, *order);
    nlohmann::json results = nlohmann::json::array();
    int code = kDone;
    std::uint64_t done = 0;
    for (; done < order->times && !session.isInterrupted(); ++done) {
        const Outcome outcome = session.runOnce();
        code = worse(code, outcome.storeError ? static_cast<int>(kLabCannot) : exitCodeOf(outcome.result));
        if (order->follow)
            lab.out.printJsonLine(toJson(outcome.result));
        else if (lab.json)
            results.push_back(toJson(outcome.result));
        else
            printRun(lab.out, outcome.result, outcome.curve.points());
        lab.out.flush();
        if (outcome.storeError)
            lab.out.error("the run took place, but could not be stored: " + outcome.storeError->message);
    }
    if (lab.json && !order->follow && !results.empty())
        lab.out.printJson(order->repeated ? results : results.front());
    return done < order->times ? worse(code, kCancelled) : code;
}

} // namespace loadlab::cli
