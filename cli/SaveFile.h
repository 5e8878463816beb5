#pragma once

#include "cli/Output.h"
#include "core/Result.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>

namespace loadlab::cli {

/// Writes a file beside its place, syncs it and renames it: what stood there is replaced whole or stays as it was. A
/// link is followed; anything but a regular file is left alone. Errors: Io with the path and the system's words.
Result<void> saveFile(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write);

/// stdout as a std::ostream, for writers that need one.
class OutputStream : public std::ostream {
public:
    explicit OutputStream(Output& output);
    ~OutputStream() override; ///< Hands over what is left.

private:
    class Buffer;
    std::unique_ptr<Buffer> m_buffer;
};

} // namespace loadlab::cli
