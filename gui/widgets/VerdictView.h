#pragma once

#include "core/trial/RunResult.h"
#include "gui/widgets/ThemeHolder.h"

#include <QWidget>

class QHBoxLayout;
class QVBoxLayout;

namespace loadlab {

/// A verdict as a card: badge, confidence, one sentence, figures, evidence, remedies. One widget for all places; the
/// compact form (Live, Runs) has the same parts with the two strongest facts and one remedy.
class VerdictView : public QWidget {
    Q_OBJECT

public:
    enum class Form { Full, Compact };
    /// What the place can do with a verdict; buttons for the rest are not shown.
    enum Ability { ApplyRemedy = 1, PreviewRemedy = 2, CopyMarkdown = 4, Bundle = 8, Correct = 16 };
    Q_DECLARE_FLAGS(Abilities, Ability)

    VerdictView(const ThemeHolder& theme, Form form, Abilities abilities, QWidget* parent = nullptr);

    /// A finished run; one without a verdict is shown as in progress.
    void showRun(const RunResult& result);
    /// No verdict yet: words only ("No verdict yet. …").
    void showWaiting(const QString& words);
    /// Full form: stands between sentence and figures (a chart). Takes ownership.
    void setFigure(QWidget* figure);
    /// Of compact form: how many facts and remedies are shown (default 2 and 1).
    void setCompactCounts(int facts, int remedies);

    /// Id of the first remedy that can be applied; empty when there is none.
    [[nodiscard]] QString firstRemedy() const;

Q_SIGNALS:
    void applyRemedyRequested(const QString& remedyId);
    void previewRemedyRequested(const QString& remedyId);
    void evidenceActivated(int index); ///< Index in verdict->evidence: open the log line or the curve at that time.
    void runRequested(qint64 run);
    void markdownCopied();
    void bundleRequested();
    void correctRequested();

private:
    void rebuild();
    void buildWaiting(QVBoxLayout& layout);
    void buildHead(QVBoxLayout& layout);
    void buildFigures(QVBoxLayout& layout);
    void buildEvidence(QVBoxLayout& layout);
    void buildRemedies(QVBoxLayout& layout);
    void buildFoot(QVBoxLayout& layout);
    QWidget* makeRemedy(const Remedy& remedy, bool first);
    void addRemedyButtons(QHBoxLayout& row, const Remedy& remedy, bool first);

    const ThemeHolder& m_theme;
    Form m_form;
    Abilities m_abilities;
    RunResult m_result;
    QString m_waiting;
    QWidget* m_content = nullptr;
    QWidget* m_figure = nullptr;
    int m_facts = 2;
    int m_remedies = 1;
};
Q_DECLARE_OPERATORS_FOR_FLAGS(VerdictView::Abilities)

/// The verdict as Markdown, for the clipboard.
QString toMarkdown(const RunResult& result);

} // namespace loadlab
