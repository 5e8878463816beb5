#include "gui/pages/RemarkLabel.h"

#include "gui/pages/SignDelegate.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QStyle>

namespace loadlab {

RemarkLabel::RemarkLabel(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_sign(new QLabel(this))
    , m_words(new QLabel(this))
{
    m_words->setTextFormat(Qt::PlainText);
    m_words->setWordWrap(true);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(4, 0, 0, 0);
    row->setSpacing(4);
    row->addWidget(m_sign);
    row->addWidget(m_words, 1);
    connect(&theme, &ThemeHolder::themeChanged, this, &RemarkLabel::refresh);
    hide();
}

void RemarkLabel::show(const Remark& remark)
{
    m_level = remark.level;
    m_signed = true;
    m_words->setText(remark.words);
    m_words->setToolTip(remark.reason);
    refresh();
}

void RemarkLabel::showHint(const QString& words)
{
    m_signed = false;
    m_words->setText(words);
    m_words->setToolTip({});
    refresh();
}

void RemarkLabel::clear()
{
    showHint({});
}

QString RemarkLabel::words() const
{
    return m_words->text();
}

void RemarkLabel::refresh()
{
    const QString sign = iconOf(m_level);
    setVisible(!m_words->text().isEmpty());
    m_sign->setVisible(m_signed);
    if (m_signed)
        m_sign->setPixmap(m_theme.theme().pixmap(
            sign, m_level == Remark::Level::Ok ? Role::Muted : roleOfSign(sign), 16, devicePixelRatioF()));
    const bool bad = m_signed && m_level == Remark::Level::Error;
    const QString role = bad ? QStringLiteral("fail") : QStringLiteral("muted");
    if (m_words->property("role").toString() == role)
        return;
    m_words->setProperty("role", role);
    m_words->style()->unpolish(m_words);
    m_words->style()->polish(m_words);
}

} // namespace loadlab
