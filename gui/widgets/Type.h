#pragma once

#include <QFont>

/// The scale of type and the grid of space; everything is relative to the system's font.
namespace loadlab::type {

inline constexpr double kSmall = 0.93; ///< Axes, sources.
inline constexpr double kSubject = 1.2;
inline constexpr double kTitle = 1.3; ///< Of a page.
inline constexpr double kReadout = 1.75;

/// The font at `scale` of its size, in points or pixels as it was given.
QFont sized(const QFont& font, double scale, bool bold = false);
/// The platform's fixed font at the given font's size.
QFont fixed(const QFont& font);

} // namespace loadlab::type
