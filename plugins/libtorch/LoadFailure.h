#pragma once

#include "core/FailureMode.h"
#include "core/Text.h"
#include "core/worker/Protocol.h"

#include <exception>
#include <filesystem>
#include <string>
#include <utility>

namespace loadlab {

/// Why a load cannot go on, with all that the `error` event carries. Thrown inside this plugin only.
struct LoadFailure : std::exception {
    LoadFailure(FailureMode failureMode, std::string text, std::string wayOut = {}, std::string at = {})
        : mode(failureMode)
        , message(std::move(text))
        , remedy(std::move(wayOut))
        , file(std::move(at))
    {
    }
    [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }

    FailureMode mode;
    std::string message;
    std::string remedy;
    std::string file; ///< Relative to the checkpoint where it is inside; may be empty.
};

/// The operator or the lab wants the worker to leave. Not a failure.
struct LoadStopped { };

/// What reading a weight file ran into: a file that shrank is corrupt, all else was refused by the system.
inline LoadFailure fileFailure(const Error& error, const std::string& file)
{
    switch (error.kind) {
    case ErrorKind::NotFound:
        return {FailureMode::IncompleteDownload, error.message, {}, file};
    case ErrorKind::Invalid:
        return {FailureMode::CorruptFile, error.message,
            "Let whatever writes to the file finish (a download?), then load again.", file};
    default:
        return {FailureMode::DiskIo, error.message, {}, file};
    }
}

} // namespace loadlab
