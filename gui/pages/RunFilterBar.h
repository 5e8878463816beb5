#pragma once

#include "db/RunStore.h"
#include "gui/widgets/ThemeHolder.h"

#include <QStringList>
#include <QTimer>
#include <QWidget>

class QHBoxLayout;
class QLabel;
class QLineEdit;
class QMenu;

namespace loadlab {

/// Words and chips above the table of runs. Each kind of filter is one chip: "+ Outcome" opens its menu, a filter that
/// is set shows its value and is taken away by ×, Delete, or Esc from the right.
class RunFilterBar : public QWidget {
    Q_OBJECT

public:
    explicit RunFilterBar(const ThemeHolder& theme, QWidget* parent = nullptr);

    /// What the menus offer.
    void setChoices(const QStringList& checkpoints, const QStringList& dtypes, const QStringList& maps,
        const QStringList& backends);
    [[nodiscard]] RunFilter filter() const;
    /// Order, limit and offset are not its business.
    void setFilter(const RunFilter& filter);
    [[nodiscard]] int activeCount() const; ///< Words and chips that are set.
    /// "“Dtype: float32”" of the last filter that was set, for the empty state.
    [[nodiscard]] QString lastWords() const;
    void dropLast();
    void clearAll();
    void setCounts(std::uint64_t matching, std::uint64_t stored);
    void focusWords();
    [[nodiscard]] QWidget* wordsEdit() const;

Q_SIGNALS:
    void changed();

private:
    enum Kind { Outcome, Model, Dtype, Map, Backend, Since, KindCount };
    void rebuild();
    void addChip(Kind kind);
    void addMoreChip();
    void openMenu(Kind kind, QWidget* below);
    void openMore(QWidget* below);
    void fill(QMenu& menu, Kind kind);
    void fillOutcomes(QMenu& menu);
    void fillSince(QMenu& menu);
    void fillWords(QMenu& menu, Kind kind);
    [[nodiscard]] bool isSet(Kind kind) const;
    [[nodiscard]] QString wordsOf(Kind kind) const;
    [[nodiscard]] std::string& textOf(Kind kind);
    void drop(Kind kind);
    void note(Kind kind);

    const ThemeHolder& m_theme;
    RunFilter m_filter;
    QStringList m_choices[KindCount];
    QList<Kind> m_order; ///< In which filters were set, the last one last.
    QLineEdit* m_words;
    QHBoxLayout* m_chips;
    QLabel* m_counts;
    QTimer m_typing; ///< A search goes out when typing pauses.
};

} // namespace loadlab
