#include "gui/widgets/Panel.h"

#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/Type.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

namespace loadlab {
namespace {

QFrame* makeLine(QFrame::Shape shape, const char* name, QWidget* parent)
{
    auto* line = new QFrame(parent);
    line->setObjectName(QLatin1String(name));
    line->setFrameShape(QFrame::NoFrame);
    if (shape == QFrame::HLine)
        line->setFixedHeight(1);
    else
        line->setFixedWidth(1);
    return line;
}

} // namespace

QLabel* makeMuted(const QString& text, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    label->setProperty("role", QStringLiteral("muted"));
    return label;
}

QLabel* makeTitle(const QString& text, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    label->setFont(type::sized(label->font(), 1.0, true));
    return label;
}

QFrame* makeHairline(QWidget* parent)
{
    return makeLine(QFrame::HLine, "hline", parent);
}

QFrame* makeVerticalLine(QWidget* parent)
{
    return makeLine(QFrame::VLine, "vline", parent);
}

Panel::Panel(const QString& title, QWidget* parent)
    : QFrame(parent)
    , m_titleRow(new QHBoxLayout)
    , m_title(makeElidedTitle(title, this))
    , m_remark(makeElidedMuted({}, this))
    , m_body(new QVBoxLayout(this))
{
    setObjectName(QStringLiteral("panel"));
    m_body->setContentsMargins(14, 10, 14, 12);
    m_body->setSpacing(8);
    m_titleRow->setSpacing(8);
    m_titleRow->addWidget(m_title);
    m_titleRow->addStretch();
    m_titleRow->addWidget(m_remark);
    m_body->addLayout(m_titleRow);
    setTitle(title);
    setRemark({});
}

void Panel::setTitle(const QString& title)
{
    m_title->setText(title);
    m_title->setVisible(!title.isEmpty());
    setAccessibleName(title);
}

void Panel::setRemark(const QString& remark)
{
    m_remark->setText(remark);
    m_remark->setVisible(!remark.isEmpty());
}

void Panel::addBesideTitle(QWidget* widget)
{
    m_titleRow->insertWidget(m_besideAt++, widget);
}

void Panel::addToTitle(QWidget* widget)
{
    m_titleRow->insertWidget(m_titleRow->indexOf(m_remark), widget);
}

PageHeader::PageHeader(const QString& title, QWidget* parent)
    : QFrame(parent)
    , m_row(new QHBoxLayout(this))
    , m_title(makeTitle(title, this))
    , m_remark(makeElidedMuted({}, this))
{
    setObjectName(QStringLiteral("head"));
    setMinimumHeight(46);
    m_title->setFont(type::sized(font(), type::kTitle, true));
    m_row->setContentsMargins(16, 4, 14, 4);
    m_row->setSpacing(8);
    m_row->addWidget(m_title);
    m_row->addWidget(m_remark, 1);
    m_remark->setMinimumWidth(40);
    m_remark->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
}

void PageHeader::setTitle(const QString& title)
{
    m_title->setText(title);
    setAccessibleName(title);
}

void PageHeader::setRemark(const QString& remark)
{
    m_remark->setText(remark);
    m_remark->setToolTip(remark);
}

void PageHeader::addBesideTitle(QWidget* widget)
{
    m_row->insertWidget(m_besideAt++, widget);
}

void PageHeader::addAction(QWidget* widget)
{
    m_row->addWidget(widget);
}

} // namespace loadlab
