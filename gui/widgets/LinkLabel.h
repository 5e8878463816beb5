#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QLabel>

namespace loadlab {

/// Words in which "run 7", "runs 7, 8" and "runs 11–19" are links to those runs.
class LinkLabel : public QLabel {
    Q_OBJECT

public:
    explicit LinkLabel(const ThemeHolder& theme, const QString& text = {}, QWidget* parent = nullptr);

    /// Plain text; whatever it holds is shown as it is, only run numbers become links.
    void setWords(const QString& text);
    [[nodiscard]] QString words() const { return m_words; }

Q_SIGNALS:
    void runRequested(qint64 run);

private:
    void refresh();

    const ThemeHolder& m_theme;
    QString m_words;
};

/// Escaped rich text of plain words with run numbers as <a href="run:7">.
QString withRunLinks(const QString& words, const QColor& linkColor);

} // namespace loadlab
