#include "gui/pages/RemarkLabel.h"

#include "gui/pages/SignDelegate.h"

#include <QHBoxLayout>
#include <QLabel>

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
    m_sign->setVisible(m_signed);
    if (m_signed)
        m_sign->setPixmap(m_theme.theme().pixmap(
            sign, m_level == Remark::Level::Ok ? Role::Muted : roleOfSign(sign), 16, devicePixelRatioF()));
    const bool bad = m_signed && m_level == Remark::Level::Error;
    QPalette palette;
    palette.setColor(QPalette::WindowText, m_theme.color(bad ? Role::Fail : Role::Muted));
    m_words->setPalette(palette);
}

} // namespace loadlab
