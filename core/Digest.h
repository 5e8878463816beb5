#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace loadlab {

/// SHA-256 in pieces (libcrypto). Not for several threads at once.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void add(std::string_view bytes);
    /// 64 lower-case hexadecimal digits; the object is spent afterwards.
    std::string hex();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

std::string sha256Hex(std::string_view bytes);
/// A random version 4 UUID, e.g. "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b" (getrandom).
std::string makeUuid();

} // namespace loadlab
