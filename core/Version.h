#pragma once

#include <string_view>

namespace loadlab {

/// "0.1.0"
std::string_view loadlabVersion();
/// The commit this was built from, 12 digits; "unknown" outside a git checkout.
std::string_view gitRevision();

} // namespace loadlab
