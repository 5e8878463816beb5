#pragma once

#include "core/Result.h"
#include "core/worker/Protocol.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// Splits a stream into lines and parses each as a JSON object. Keeps the tail; the same input whole, split anywhere or
/// joined gives the same objects. Empty lines are passed over.
class JsonLineReader {
public:
    explicit JsonLineReader(std::size_t maxLineBytes = protocol::kMaxLineBytes);
    ~JsonLineReader();

    /// The objects completed by these bytes. On nonsense: Invalid whose message quotes the line (first 200 bytes, UTF-8),
    /// after which the reader stays broken and returns the same error.
    Result<std::vector<nlohmann::json>> feed(std::string_view bytes);
    /// At the end of the stream: an unfinished line is nonsense too.
    Result<void> finish() const;

private:
    std::string m_tail;
    std::size_t m_maxLineBytes;
    bool m_broken = false;
    std::string m_brokenLine;
};

} // namespace loadlab
