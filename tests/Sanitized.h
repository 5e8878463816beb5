#pragma once

namespace loadlab::test {

/// Built with a sanitizer that has memory of its own in every process: upper bounds of memory mean nothing then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

} // namespace loadlab::test
