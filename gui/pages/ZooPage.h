#pragma once

#include "gui/Dialogs.h"
#include "gui/ZooController.h"
#include "gui/pages/Page.h"

#include <QModelIndex>

class QLabel;
class QLineEdit;
class QStackedWidget;
class QTreeView;

namespace loadlab {

class Chip;
class EmptyState;
class FoldingSplitter;
class PageHeader;
class ZooDetails;

/// What is on disk, is it whole, would it fit?
class ZooPage : public Page {
    Q_OBJECT

public:
    ZooPage(const ThemeHolder& theme, ZooController& zoo, const Dialogs& dialogs, QWidget* parent = nullptr);

    /// Selects it as soon as it is there.
    void select(const std::filesystem::path& checkpoint);
    void selectFolder(const std::filesystem::path& folder);
    [[nodiscard]] std::shared_ptr<const Checkpoint> selected() const;
    void addFolder();
    /// Reads every byte of the selected checkpoint, unless one is being read.
    void verify();
    void setMemory(std::uint64_t totalBytes, std::uint64_t availableBytes);

    [[nodiscard]] QList<QWidget*> panes() const override;
    void focusFind() override;
    void saveTo(QSettings& settings) const override;
    void restoreFrom(const QSettings& settings) override;

Q_SIGNALS:
    void newTrialRequested(std::shared_ptr<const loadlab::Checkpoint> checkpoint);
    void openRunRequested(loadlab::RunId run);

private:
    void buildHeader();
    QWidget* buildList();
    QWidget* buildFilterRow();
    void buildTree();
    void wire();
    void refresh();
    void refreshEmpty();
    void refreshNote();
    void spanFolders();
    void followSelection();
    void openMenu(const QPoint& at);
    void requestTrial();
    [[nodiscard]] QModelIndex current() const; ///< In the source model.

    ZooController& m_zoo;
    const Dialogs& m_dialogs;
    ZooFilter* m_filter;
    PageHeader* m_header;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    FoldingSplitter* m_splitter;
    QTreeView* m_tree;
    QLineEdit* m_find;
    QLabel* m_note;
    QList<Chip*> m_chips;
    ZooDetails* m_details;
    std::filesystem::path m_wanted; ///< To be selected when it appears.
};

} // namespace loadlab
