#pragma once

#include "gui/TrialController.h"
#include "gui/models/QueueModel.h"
#include "gui/widgets/ThemeHolder.h"

#include <QWidget>

class QLabel;
class QTreeView;

namespace loadlab {

class IconButton;

/// The trials that wait, run and are done; one at a time.
class QueuePanel : public QWidget {
    Q_OBJECT

public:
    QueuePanel(const ThemeHolder& theme, TrialController& controller, QWidget* parent = nullptr);

    [[nodiscard]] QWidget* view() const;

Q_SIGNALS:
    void openRunRequested(loadlab::RunId run);
    void trialChosen(const loadlab::TrialSpec& spec); ///< To be shown in the form.

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* buildHead();
    void refresh();
    void moveBy(int rows);
    void removeCurrent();
    void activate(const QModelIndex& index);
    [[nodiscard]] const QueuedTrial* current() const;

    const ThemeHolder& m_theme;
    TrialController& m_controller;
    QueueModel* m_model;
    QTreeView* m_view;
    QLabel* m_note;
    IconButton* m_start;
    IconButton* m_up;
    IconButton* m_down;
    IconButton* m_remove;
};

} // namespace loadlab
