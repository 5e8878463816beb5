#pragma once

#include "LoadFailure.h"

namespace loadlab {

/// Called in a catch block: what libtorch, the C++ library or this plugin threw, as a failure mode with a way out.
/// LoadStopped is passed on.
LoadFailure failureOfCurrentException();

/// "std::bad_alloc": for the traceback of an error nobody knows.
std::string nameOfCurrentException();

} // namespace loadlab
