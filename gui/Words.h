#pragma once

#include "core/Result.h"

#include <QString>

#include <filesystem>
#include <string_view>

namespace loadlab {

/// Any bytes as text; what is not UTF-8 becomes U+FFFD.
QString toQString(std::string_view bytes);
/// A path as it is shown: U+FFFD where it is not UTF-8, the home folder as "~".
QString shownPath(const std::filesystem::path& path);
/// The file that a dialog or a drop named.
std::filesystem::path toPath(const QString& fileName);
/// What the window says about an error: its message as a sentence. The only place that does so.
QString toSentence(const Error& error);

} // namespace loadlab
