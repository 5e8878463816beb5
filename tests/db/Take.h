#pragma once

#include "core/Result.h"

#include <QtGlobal>

namespace loadlab::test {

/// The value of what must have worked; else the test ends with the message.
template <typename T> T take(Result<T> result)
{
    if (!result)
        qFatal("%s", result.error().message.c_str());
    return *std::move(result);
}
inline void take(const Result<void>& result)
{
    if (!result)
        qFatal("%s", result.error().message.c_str());
}

} // namespace loadlab::test
