#include "gui/widgets/Theme.h"

#include <QApplication>
#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QStyle>
#include <QSvgRenderer>

#include <cmath>

// Outside the namespace, as the macro wants it: a static library's resources are not registered by themselves
// everywhere.
static void registerResources()
{
    Q_INIT_RESOURCE(loadlab_widgets);
}

namespace loadlab {
namespace {

struct RoleValues {
    const char* name; ///< As the style sheet's template calls it.
    const char* light;
    const char* dark;
};

constexpr std::array<RoleValues, kRoleCount> kValues{{
    {"window", "#F2F3F5", "#25282C"},
    {"base", "#FFFFFF", "#1B1E21"},
    {"alt", "#F8F9FA", "#202327"},
    {"text", "#1C2024", "#E3E6E9"},
    {"muted", "#58616B", "#A4ACB4"},
    {"border", "#CBD0D6", "#41474E"},
    {"hair", "#E3E6EA", "#2E3338"},
    {"accent", "#1A68AC", "#6BB1F0"},
    {"onaccent", "#FFFFFF", "#10202F"},
    {"sel", "#D7E7F6", "#24425E"},
    {"rail", "#E8EAED", "#1F2225"},
    {"button", "#FCFCFD", "#2D3136"},
    {"ok", "#176C3C", "#6CCB93"},
    {"fail", "#B0261E", "#FF9088"},
    {"warn", "#855500", "#E5B453"},
    {"info", "#1A68AC", "#6BB1F0"},
    {"unknown", "#58616B", "#A4ACB4"},
    {"oktint", "#E4F2E9", "#1E3328"},
    {"failtint", "#FBE8E6", "#402523"},
    {"warntint", "#FBF1DC", "#3A301B"},
    {"infotint", "#E3EEF9", "#1F3346"},
    {"unknowntint", "#ECEEF0", "#30353A"},
    {"phasea", "#F5F7F9", "#1F2327"},
    {"phaseb", "#EBEFF3", "#262B30"},
    {"resident", "#0A4C96", "#5AA2E8"},
    {"gpu", "#00806A", "#6BDDB8"},
    {"swap", "#B04A00", "#F0A05A"},
    {"series4", "#A91880", "#F6C0E7"},
    {"other", "#59606E", "#8C9096"},
    {"cache", "#4F6A86", "#93A9C0"},
}};

double linear(double channel)
{
    return channel <= 0.03928 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}

double luminance(const QColor& color)
{
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

QByteArray iconSource(const QString& name)
{
    registerResources();
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// The drawing in one colour; strokes a little stronger at 16 px.
QPixmap drawn(const QString& name, const QColor& color, const QSize& pixels)
{
    const QString key = QStringLiteral("loadlab/%1/%2/%3x%4")
                            .arg(name, color.name(QColor::HexArgb))
                            .arg(pixels.width())
                            .arg(pixels.height());
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap))
        return pixmap;
    QByteArray svg = iconSource(name);
    svg.replace("stroke=\"#000000\"", "stroke=\"" + color.name().toLatin1() + "\"");
    if (std::min(pixels.width(), pixels.height()) <= 16)
        svg.replace("stroke-width=\"1.7\"", "stroke-width=\"1.9\"");
    QSvgRenderer renderer(svg);
    renderer.setAspectRatioMode(Qt::KeepAspectRatio);
    pixmap = QPixmap(pixels);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    renderer.render(&painter);
    painter.end();
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

/// Draws the SVG at whatever size is asked, so that icons stay sharp on any screen.
class LineIconEngine : public QIconEngine {
public:
    LineIconEngine(QString name, QColor color, QColor muted)
        : m_name(std::move(name))
        , m_color(std::move(color))
        , m_muted(std::move(muted))
    {
    }
    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override
    {
        const qreal ratio = painter->device()->devicePixelRatioF();
        painter->drawPixmap(rect, pixmap((QSizeF(rect.size()) * ratio).toSize(), mode, state));
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State) override
    {
        return drawn(m_name, mode == QIcon::Disabled ? m_muted : m_color, size);
    }
    QIconEngine* clone() const override { return new LineIconEngine(*this); }
    QString key() const override { return QStringLiteral("loadlab"); }

private:
    QString m_name;
    QColor m_color;
    QColor m_muted;
};

} // namespace

Role tintOf(Role state)
{
    switch (state) {
    case Role::Ok:
        return Role::OkTint;
    case Role::Fail:
        return Role::FailTint;
    case Role::Warn:
        return Role::WarnTint;
    case Role::Info:
        return Role::InfoTint;
    default:
        return Role::NeutralTint;
    }
}

double contrast(const QColor& a, const QColor& b)
{
    const double la = luminance(a);
    const double lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

QColor blend(const QColor& top, const QColor& ground, double share)
{
    const auto mix = [share](double t, double g) { return static_cast<float>(t * share + g * (1 - share)); };
    return QColor::fromRgbF(
        mix(top.redF(), ground.redF()), mix(top.greenF(), ground.greenF()), mix(top.blueF(), ground.blueF()));
}

Theme Theme::light()
{
    Theme theme;
    for (std::size_t i = 0; i < kRoleCount; ++i)
        theme.m_colors[i] = QColor(QLatin1String(kValues[i].light));
    return theme;
}

Theme Theme::dark()
{
    Theme theme;
    theme.m_dark = true;
    for (std::size_t i = 0; i < kRoleCount; ++i)
        theme.m_colors[i] = QColor(QLatin1String(kValues[i].dark));
    return theme;
}

Theme Theme::fromPalette(const QPalette& palette)
{
    const QColor window = palette.color(QPalette::Window);
    const QColor base = palette.color(QPalette::Base);
    const QColor text = palette.color(QPalette::Text);
    Theme theme = luminance(base) < luminance(text) ? dark() : light();
    const auto set
        = [&theme](Role role, const QColor& color) { theme.m_colors[static_cast<std::size_t>(role)] = color; };
    // Status and series colours are made for the fallback grounds: neutrals count only when near enough to carry them.
    const bool readable = contrast(text, base) >= 7 && contrast(text, window) >= 7
        && contrast(theme.color(Role::Ok), base) >= 4.5 && contrast(theme.color(Role::Gpu), base) >= 4.5;
    if (readable) {
        set(Role::Window, window);
        set(Role::Base, base);
        set(Role::Text, text);
        set(Role::Alt, palette.color(QPalette::AlternateBase));
        set(Role::Border, blend(text, base, 0.22));
        set(Role::Hair, blend(text, base, 0.12));
        const QColor muted = blend(text, base, 0.65);
        if (contrast(muted, base) >= 4.5 && contrast(muted, window) >= 4.5)
            set(Role::Muted, muted);
    }
    const QColor accent = palette.color(QPalette::Highlight);
    const QColor onAccent = palette.color(QPalette::HighlightedText);
    if (contrast(accent, theme.color(Role::Base)) >= 4.5 && contrast(onAccent, accent) >= 4.5) {
        set(Role::Accent, accent);
        set(Role::OnAccent, onAccent);
    }
    const QColor selection = blend(theme.color(Role::Accent), theme.color(Role::Base), theme.isDark() ? 0.28 : 0.18);
    if (readable && contrast(theme.color(Role::Muted), selection) >= 4.5)
        set(Role::Selection, selection);
    return theme;
}

Theme Theme::current()
{
    const QPalette palette = QApplication::palette();
    if (palette == QApplication::style()->standardPalette())
        return luminance(palette.color(QPalette::Base)) < 0.2 ? dark() : light();
    return fromPalette(palette);
}

QString Theme::name() const
{
    return m_dark ? QStringLiteral("dark") : QStringLiteral("light");
}

QPalette Theme::palette() const
{
    QPalette palette;
    palette.setColor(QPalette::Window, color(Role::Window));
    palette.setColor(QPalette::WindowText, color(Role::Text));
    palette.setColor(QPalette::Base, color(Role::Base));
    palette.setColor(QPalette::AlternateBase, color(Role::Alt));
    palette.setColor(QPalette::ToolTipBase, color(Role::Base));
    palette.setColor(QPalette::ToolTipText, color(Role::Text));
    palette.setColor(QPalette::Text, color(Role::Text));
    palette.setColor(QPalette::PlaceholderText, color(Role::Muted));
    palette.setColor(QPalette::Button, color(Role::Button));
    palette.setColor(QPalette::ButtonText, color(Role::Text));
    palette.setColor(QPalette::BrightText, color(Role::Fail));
    palette.setColor(QPalette::Highlight, color(Role::Accent));
    palette.setColor(QPalette::HighlightedText, color(Role::OnAccent));
    palette.setColor(QPalette::Link, color(Role::Accent));
    palette.setColor(QPalette::LinkVisited, color(Role::Accent));
    palette.setColor(QPalette::Light, blend(QColor(Qt::white), color(Role::Button), m_dark ? 0.1 : 0.6));
    palette.setColor(QPalette::Midlight, color(Role::Hair));
    palette.setColor(QPalette::Mid, color(Role::Border));
    palette.setColor(QPalette::Dark, color(Role::Border));
    palette.setColor(QPalette::Shadow, blend(QColor(Qt::black), color(Role::Border), 0.5));
    for (const QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, color(Role::Muted));
    palette.setColor(QPalette::Disabled, QPalette::Highlight, color(Role::Border));
    return palette;
}

QIcon Theme::icon(const QString& name, Role role) const
{
    if (iconSource(name).isEmpty())
        return {};
    return QIcon(new LineIconEngine(name, color(role), color(Role::Muted)));
}

QPixmap Theme::pixmap(const QString& name, Role role, int size, qreal devicePixelRatio) const
{
    if (iconSource(name).isEmpty())
        return {};
    const int pixels = qRound(size * devicePixelRatio);
    QPixmap pixmap = drawn(name, color(role), {pixels, pixels});
    pixmap.setDevicePixelRatio(devicePixelRatio);
    return pixmap;
}

QString Theme::styleSheet(bool whole) const
{
    registerResources();
    QFile file(QStringLiteral(":/style.qss.in"));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    QString sheet = QString::fromUtf8(file.readAll());
    if (!whole)
        sheet.truncate(sheet.indexOf(QStringLiteral("/* whole */")));
    sheet.replace(QStringLiteral("%(n)s"), name());
    for (std::size_t i = 0; i < kRoleCount; ++i)
        sheet.replace(QStringLiteral("%(%1)s").arg(QLatin1String(kValues[i].name)), m_colors[i].name());
    return sheet;
}

} // namespace loadlab
