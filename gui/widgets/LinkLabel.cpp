#include "gui/widgets/LinkLabel.h"

#include <QRegularExpression>

namespace loadlab {

QString withRunLinks(const QString& words, const QColor& linkColor)
{
    // "run 7", "runs 7, 8", "runs 11–19 and 23": after the word every number of the list is a run.
    static const QRegularExpression list(
        QStringLiteral("\\b[Rr]uns?\\s+\\d{1,15}(?:(?:\\s*,\\s*|\\s*–\\s*|\\s+and\\s+)\\d{1,15}\\b(?![.]\\d))*"));
    static const QRegularExpression number(QStringLiteral("\\d+"));
    QString rich;
    qsizetype copied = 0;
    for (auto lists = list.globalMatch(words); lists.hasNext();) {
        const QRegularExpressionMatch group = lists.next();
        for (auto numbers = number.globalMatch(group.captured()); numbers.hasNext();) {
            const QRegularExpressionMatch run = numbers.next();
            const qsizetype at = group.capturedStart() + run.capturedStart();
            rich += words.mid(copied, at - copied).toHtmlEscaped();
            rich += QStringLiteral("<a href=\"run:%1\" style=\"color:%2; text-decoration:none\">%1</a>")
                        .arg(run.captured(), linkColor.name());
            copied = at + run.capturedLength();
        }
    }
    return rich + words.mid(copied).toHtmlEscaped();
}

LinkLabel::LinkLabel(const ThemeHolder& theme, const QString& text, QWidget* parent)
    : QLabel(parent)
    , m_theme(theme)
{
    setTextFormat(Qt::RichText);
    setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    connect(&theme, &ThemeHolder::themeChanged, this, &LinkLabel::refresh);
    connect(this, &QLabel::linkActivated, this, [this](const QString& link) {
        if (link.startsWith(QLatin1String("run:")))
            Q_EMIT runRequested(link.mid(4).toLongLong());
    });
    setWords(text);
}

void LinkLabel::setWords(const QString& text)
{
    m_words = text;
    setAccessibleName(text);
    refresh();
}

void LinkLabel::refresh()
{
    const QString rich = withRunLinks(m_words, m_theme.color(Role::Accent));
    // Without a link the label takes no focus and no tab stop.
    setFocusPolicy(rich.contains(QLatin1String("<a ")) ? Qt::TabFocus : Qt::NoFocus);
    setText(rich);
}

} // namespace loadlab
