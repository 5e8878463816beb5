#include "gui/pages/LogPanel.h"

#include "gui/widgets/Chip.h"
#include "gui/widgets/Type.h"

#include <QGuiApplication>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTextBlock>
#include <QVBoxLayout>

namespace loadlab {
namespace {

bool isAtEnd(const QPlainTextEdit& text)
{
    return text.verticalScrollBar()->value() >= text.verticalScrollBar()->maximum() - 1;
}

void goToEnd(QPlainTextEdit& text)
{
    text.verticalScrollBar()->setValue(text.verticalScrollBar()->maximum());
}

/// Stays at its end when there is less room for it.
class FollowingText : public QPlainTextEdit {
public:
    using QPlainTextEdit::QPlainTextEdit;

protected:
    void resizeEvent(QResizeEvent* event) override
    {
        const bool follows = isAtEnd(*this);
        QPlainTextEdit::resizeEvent(event);
        if (follows)
            goToEnd(*this);
    }
};

Role roleOf(const LiveLine& line)
{
    if (line.kind == QLatin1String("error"))
        return Role::Fail;
    if (line.kind == QLatin1String("warning") || line.kind == QLatin1String("stderr"))
        return Role::Warn;
    return line.voice == LogVoice::Lab ? Role::Info : Role::Muted;
}

} // namespace

LogPanel::LogPanel(const ThemeHolder& theme, QWidget* parent)
    : Panel(QStringLiteral("Log"), parent)
    , m_theme(theme)
    , m_text(new FollowingText(this))
    , m_find(new QLineEdit(this))
{
    addChip(QStringLiteral("Worker"), LogVoice::Worker);
    addChip(QStringLiteral("stderr"), LogVoice::Stderr);
    addChip(QStringLiteral("Lab"), LogVoice::Lab);
    addToTitle(makeFind());
    m_text->setReadOnly(true);
    m_text->setFrameShape(QFrame::NoFrame);
    m_text->setMaximumBlockCount(kMaxLines);
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_text->setFont(type::fixed(type::sized(font(), type::kSmall)));
    m_text->setAccessibleName(QStringLiteral("Log"));
    m_text->setObjectName(QStringLiteral("logText"));
    m_text->setUndoRedoEnabled(false);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_text->setPlaceholderText(QStringLiteral("Nothing was said yet."));
    m_text->document()->setDocumentMargin(2);
    body()->addWidget(m_text, 1);
    connect(&theme, &ThemeHolder::themeChanged, this, &LogPanel::rebuild);
}

void LogPanel::addChip(const QString& words, LogVoice voice)
{
    auto* chip = new Chip(m_theme, words, this);
    chip->setCheckable(true);
    chip->setChecked(true);
    chip->setAccessibleName(QStringLiteral("Show lines of ") + words);
    connect(chip, &QPushButton::toggled, this, [this, voice](bool on) {
        if (on)
            m_voices.insert(voice);
        else
            m_voices.erase(voice);
        rebuild();
    });
    addBesideTitle(chip);
    m_chips.push_back(chip);
}

QWidget* LogPanel::makeFind()
{
    m_find->setPlaceholderText(QStringLiteral("Find in log"));
    m_find->setAccessibleName(QStringLiteral("Find in log"));
    m_find->setClearButtonEnabled(true);
    m_find->setMaximumWidth(180);
    m_find->setToolTip(QStringLiteral("Enter: next, Shift+Enter: previous"));
    connect(m_find, &QLineEdit::returnPressed, this,
        [this] { findNext(QGuiApplication::keyboardModifiers() & Qt::ShiftModifier); });
    connect(m_find, &QLineEdit::textEdited, this, [this] {
        QTextCursor start = m_text->textCursor();
        start.setPosition(start.selectionStart());
        m_text->setTextCursor(start);
        findNext(false);
    });
    return m_find;
}

void LogPanel::findNext(bool backward)
{
    const QTextDocument::FindFlags flags = backward ? QTextDocument::FindBackward : QTextDocument::FindFlags();
    if (m_find->text().isEmpty() || m_text->find(m_find->text(), flags))
        return;
    QTextCursor again = m_text->textCursor();
    again.movePosition(backward ? QTextCursor::End : QTextCursor::Start);
    m_text->setTextCursor(again);
    m_text->find(m_find->text(), flags);
}

void LogPanel::clear()
{
    m_lines.clear();
    m_text->clear();
    setRemark({});
}

void LogPanel::setPlainLines(const std::vector<std::string>& lines)
{
    for (Chip* chip : m_chips)
        chip->hide();
    m_plain = true;
    m_lines.clear();
    const std::size_t first = lines.size() > kMaxLines ? lines.size() - kMaxLines : 0;
    for (std::size_t i = first; i < lines.size(); ++i)
        m_lines.push_back({0, LogVoice::Stderr, {}, shownLine(lines[i])});
    setRemark(first > 0 ? QStringLiteral("the last %1 of %2 lines").arg(kMaxLines).arg(lines.size()) : QString());
    rebuild();
}

void LogPanel::append(const std::vector<LiveLine>& lines)
{
    if (lines.empty())
        return;
    const bool follows = isAtEnd(*m_text);
    m_text->setUpdatesEnabled(false);
    for (const LiveLine& line : lines) {
        m_lines.push_back(line);
        if (isShown(line))
            insert(line, m_text->document()->isEmpty());
    }
    while (m_lines.size() > kMaxLines)
        m_lines.pop_front();
    m_text->setUpdatesEnabled(true);
    if (follows)
        goToEnd(*m_text);
}

bool LogPanel::isShown(const LiveLine& line) const
{
    return m_plain || m_voices.contains(line.voice);
}

QTextCharFormat LogPanel::formatOf(Role role) const
{
    QTextCharFormat format;
    format.setForeground(m_theme.color(role));
    return format;
}

void LogPanel::insert(const LiveLine& line, bool first)
{
    QTextCursor cursor(m_text->document());
    cursor.movePosition(QTextCursor::End);
    if (!first)
        cursor.insertBlock();
    if (!m_plain) {
        cursor.insertText(QStringLiteral("%1  ").arg(line.tS, 7, 'f', 1), formatOf(Role::Muted));
        cursor.insertText(line.kind.leftJustified(10), formatOf(roleOf(line)));
    }
    cursor.insertText(line.text, formatOf(line.kind == QLatin1String("error") ? Role::Fail : Role::Text));
}

void LogPanel::rebuild()
{
    m_text->setUpdatesEnabled(false);
    m_text->clear();
    bool first = true;
    for (const LiveLine& line : m_lines) {
        if (!isShown(line))
            continue;
        insert(line, first);
        first = false;
    }
    m_text->setUpdatesEnabled(true);
    goToEnd(*m_text);
}

void LogPanel::focusFind()
{
    m_find->setFocus(Qt::ShortcutFocusReason);
    m_find->selectAll();
}

QWidget* LogPanel::view() const
{
    return m_text;
}

} // namespace loadlab
