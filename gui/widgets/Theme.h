#pragma once

#include <QColor>
#include <QIcon>
#include <QPalette>
#include <QString>

#include <array>

namespace loadlab {

/// What a colour is for. Values for light and dark: Theme.cpp.
enum class Role : quint8 {
    Window,
    Base,
    Alt,
    Text,
    Muted,
    Border,
    Hair,
    Accent,
    OnAccent,
    Selection,
    Rail,
    Button, // neutrals and the one accent
    Ok,
    Fail,
    Warn,
    Info,
    Neutral, // states, on Base
    OkTint,
    FailTint,
    WarnTint,
    InfoTint,
    NeutralTint, // grounds of badges
    PhaseA,
    PhaseB, // bands behind a chart
    Resident,
    Gpu,
    Swap,
    Series4,
    Other,
    Cache // data
};
inline constexpr std::size_t kRoleCount = static_cast<std::size_t>(Role::Cache) + 1;

/// The badge ground that belongs to a state's colour (Ok → OkTint …); NeutralTint for every other role.
Role tintOf(Role state);
/// WCAG contrast of two opaque colours, 1 … 21.
double contrast(const QColor& a, const QColor& b);
/// `share` (0 … 1) of `top` over `ground`, opaque.
QColor blend(const QColor& top, const QColor& ground, double share);

/// The colours and icons of one appearance. A value: cheap to copy, compared by its colours.
class Theme {
public:
    static Theme light();
    static Theme dark();
    /// Light or dark as the palette is; neutrals and accent from the palette where they can be read (text ≥ 7 on base,
    /// muted ≥ 4.5, accent ≥ 4.5 on base), else the fallback.
    static Theme fromPalette(const QPalette& palette);
    /// Of the application's palette now. The style's own palette counts as "the platform gives none".
    static Theme current();

    [[nodiscard]] QColor color(Role role) const { return m_colors[static_cast<std::size_t>(role)]; }
    [[nodiscard]] bool isDark() const { return m_dark; }
    /// "light" or "dark": the ending of the style sheet's icons.
    [[nodiscard]] QString name() const;
    /// These colours as a QPalette, for what a style sheet does not reach.
    [[nodiscard]] QPalette palette() const;

    /// An icon of resources/icons ("ok", "fail" …) drawn in the role's colour at any size; disabled is muted. An
    /// unknown name gives a null icon.
    [[nodiscard]] QIcon icon(const QString& name, Role role = Role::Text) const;
    /// The same as a pixmap of `size` device-independent pixels; cached (QPixmapCache).
    [[nodiscard]] QPixmap pixmap(const QString& name, Role role, int size, qreal devicePixelRatio = 1.0) const;

    /// The style sheet. `whole` false: only rail, panel, chip and badge, for a platform style that must stay itself.
    [[nodiscard]] QString styleSheet(bool whole = true) const;

    bool operator==(const Theme& other) const { return m_dark == other.m_dark && m_colors == other.m_colors; }

private:
    bool m_dark = false;
    std::array<QColor, kRoleCount> m_colors{};
};

} // namespace loadlab
