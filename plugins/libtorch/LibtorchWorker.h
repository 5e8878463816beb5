#pragma once

#include "CommandChannel.h"
#include "EventChannel.h"
#include "HeldModel.h"
#include "LoadPlan.h"
#include "core/worker/Protocol.h"

#include <memory>
#include <nlohmann/json_fwd.hpp>

namespace loadlab {

/// One load: says hello, takes a job, loads, holds what it loaded until it is told to leave.
class LibtorchWorker {
public:
    explicit LibtorchWorker(EventChannel& events);

    /// `hello` alone: installed, and which versions.
    void probe();
    /// From the first line on stdin to `bye`. The exit code: 0 loaded or told to leave, 1 after an `error`.
    int run();

private:
    void sayHello();
    void load(const protocol::Job& job, std::stop_token leave);
    void loadSafetensors(const Checkpoint& checkpoint, const Variant& variant, const LoadOptions& options,
        const FamilyCatalog& families, std::stop_token leave);
    void hold(CommandChannel& commands);
    void answer(const protocol::Exercise& exercise);
    [[nodiscard]] nlohmann::json digestJson(const std::string& tensor) const;
    int failed();
    int bye(int code);

    EventChannel& m_events;
    std::shared_ptr<const Checkpoint> m_checkpoint; ///< What the model's names point into.
    std::unique_ptr<HeldModel> m_model;
};

} // namespace loadlab
