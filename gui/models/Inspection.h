#pragma once

#include "core/Variant.h"
#include "core/checkpoint/Checkpoint.h"
#include "core/telemetry/Machine.h"
#include "core/worker/PluginManifest.h"

#include <QString>

#include <filesystem>
#include <optional>
#include <vector>

namespace loadlab {

/// What headers, manifest and machine say about one field of a trial before anything runs. Nothing is refused for it:
/// the operator decides.
struct Remark {
    enum class Field { Checkpoint, Program, WorkingFolder, Variables, Backend, Dtype, DeviceMap, Option, Limits };
    enum class Level { Ok, Info, Warning, Error };
    Field field = Field::Checkpoint;
    Level level = Level::Ok;
    QString words; ///< Beside the field: short.
    QString title; ///< Of the finding, when it is one (Warning, Error); empty: none.
    QString reason; ///< Two sentences at most.
    std::optional<Variant> repair; ///< The variant that would do instead.
    QString repairWords; ///< "Set dtype to auto"
};
QString iconOf(Remark::Level level);

/// What is known of the need.
struct Prediction {
    Estimate estimate;
    bool exact = false; ///< For this dtype and map; else of the nearest that headers gave figures for.
};

struct TrialInspection {
    bool ofProgram = false; ///< A program to watch: nothing of it is foretold.
    std::vector<Remark> remarks; ///< One per field that has something to say, worst first within a field.
    std::optional<Prediction> prediction;

    [[nodiscard]] const Remark* find(Remark::Field field) const; ///< The worst of the field.
    [[nodiscard]] std::vector<Remark> findings() const; ///< Warnings and errors, worst first.
};

/// A program to watch, as far as it can be looked at without running it.
struct ProgramQuestion {
    std::optional<Result<std::filesystem::path>> found; ///< Nothing while nothing is typed.
    QString inertSigns; ///< "|, $": only a shell would act on them.
    std::optional<Error> folderError;
    std::optional<Error> variablesError;
};

struct TrialQuestion {
    const Checkpoint* checkpoint = nullptr; ///< Null: none chosen, or not yet inspected.
    std::optional<ProgramQuestion> program; ///< Instead of a checkpoint.
    Variant variant;
    const PluginEntry* plugin = nullptr;
    bool pluginIsInstalled = true;
    const MachineInfo* machine = nullptr;
    std::optional<std::uint64_t> availableBytes; ///< Now.
};
/// Pure; a few microseconds.
TrialInspection inspectTrial(const TrialQuestion& question);

} // namespace loadlab
