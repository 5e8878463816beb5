#pragma once

#include "core/Result.h"
#include "core/worker/Protocol.h"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// Splits a stream into lines and parses each as a JSON object of at most 64 levels. Keeps the tail; the same input
/// whole, split anywhere or joined gives the same objects and the same end. Empty lines are passed over.
class JsonLineReader {
public:
    explicit JsonLineReader(std::size_t maxLineBytes = protocol::kMaxLineBytes);
    ~JsonLineReader();

    /// The objects completed by these bytes. On nonsense the reader is broken for good: objects that came before it are
    /// still returned, every later call fails with the same error. Invalid; the message quotes the line (first 200
    /// bytes, as UTF-8).
    Result<std::vector<nlohmann::json>> feed(std::string_view bytes);
    /// What broke it, as soon as it is known.
    struct BadLine {
        std::string why; ///< "a line that is no JSON object"
        std::string line; ///< Its first 200 bytes, as UTF-8.
        [[nodiscard]] Error error() const;
    };
    [[nodiscard]] const std::optional<BadLine>& badLine() const { return m_bad; }
    [[nodiscard]] std::optional<Error> nonsense() const;
    /// At the end of the stream: an unfinished line is nonsense too.
    [[nodiscard]] std::optional<BadLine> unfinished() const;
    Result<void> finish() const;

private:
    void refuse(std::string_view line, std::string why);
    void takeLine(std::vector<nlohmann::json>& into);

    std::string m_tail;
    std::size_t m_maxLineBytes;
    std::optional<BadLine> m_bad;
};

} // namespace loadlab
