#include "core/Digest.h"

#include "core/Text.h"

#include <array>
#include <openssl/evp.h>
#include <sys/random.h>

namespace loadlab {

struct Sha256::State {
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context {EVP_MD_CTX_new()};
};

Sha256::Sha256()
    : m_state(std::make_unique<State>())
{
    EVP_DigestInit_ex(m_state->context.get(), EVP_sha256(), nullptr);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes)
{
    EVP_DigestUpdate(m_state->context.get(), bytes.data(), bytes.size());
}

std::string Sha256::hex()
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest {};
    unsigned length = 0;
    EVP_DigestFinal_ex(m_state->context.get(), digest.data(), &length);
    return toHex({reinterpret_cast<const char*>(digest.data()), length});
}

std::string sha256Hex(std::string_view bytes)
{
    Sha256 hash;
    hash.add(bytes);
    return hash.hex();
}

std::string makeUuid()
{
    std::array<char, 16> bytes {};
    for (std::size_t got = 0; got < bytes.size();) {
        const auto n = ::getrandom(bytes.data() + got, bytes.size() - got, 0);
        if (n > 0)
            got += static_cast<std::size_t>(n);
    }
    bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
    std::string hex = toHex({bytes.data(), bytes.size()});
    for (const std::size_t dash : {8U, 13U, 18U, 23U})
        hex.insert(dash, 1, '-');
    return hex;
}

} // namespace loadlab
