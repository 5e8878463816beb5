#pragma once

#include "gui/models/LiveRun.h"
#include "gui/widgets/Panel.h"

#include <QTextCharFormat>

#include <deque>
#include <set>

class QLineEdit;
class QPlainTextEdit;

namespace loadlab {

class Chip;
class IconButton;

/// The tail of a run's log: at most 20,000 lines, follows its end unless scrolled up, shown by voice, searched in
/// place.
class LogPanel : public Panel {
    Q_OBJECT

public:
    static constexpr int kMaxLines = 20'000;

    explicit LogPanel(const ThemeHolder& theme, QWidget* parent = nullptr);

    void clear();
    void append(const std::vector<LiveLine>& lines);
    /// A stored log: lines without time and voice.
    void setPlainLines(const std::vector<std::string>& lines);
    void focusFind();
    [[nodiscard]] QWidget* view() const;

private:
    QWidget* makeFind();
    void addChip(const QString& words, LogVoice voice);
    void rebuild();
    void insert(const LiveLine& line, bool first);
    [[nodiscard]] bool isShown(const LiveLine& line) const;
    [[nodiscard]] QTextCharFormat formatOf(Role role) const;
    void findNext(bool backward);

    const ThemeHolder& m_theme;
    std::deque<LiveLine> m_lines;
    std::set<LogVoice> m_voices{LogVoice::Worker, LogVoice::Stderr, LogVoice::Lab};
    std::vector<Chip*> m_chips;
    QPlainTextEdit* m_text;
    QLineEdit* m_find;
    bool m_plain = false;
};

} // namespace loadlab
