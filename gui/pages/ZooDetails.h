#pragma once

#include "core/checkpoint/Checkpoint.h"
#include "gui/models/FilesModel.h"
#include "gui/widgets/Panel.h"

#include <memory>

class QBoxLayout;
class QGridLayout;
class QLabel;

namespace loadlab {

class ActionButton;
class FilesView;
class ModeBadge;
class SegmentBar;
class VerifyStrip;
class ZooVerifier;

/// All that is known of one checkpoint: state, components, whether it fits here, problems, files.
class ZooDetails : public Panel {
    Q_OBJECT

public:
    explicit ZooDetails(const ThemeHolder& theme, QWidget* parent = nullptr);

    /// Null: nothing is selected.
    void show(std::shared_ptr<const Checkpoint> checkpoint);
    /// Facts, figures and files beside each other: there is width, and little height.
    void setFolded(bool folded);
    [[nodiscard]] const std::shared_ptr<const Checkpoint>& checkpoint() const { return m_checkpoint; }
    /// What "does it fit" is measured against.
    void setMemory(std::uint64_t totalBytes, std::uint64_t availableBytes);
    /// Shows how far the reading of a checkpoint is, of this one or of another.
    void follow(const ZooVerifier& verifier);
    [[nodiscard]] QWidget* filesView() const;

Q_SIGNALS:
    void newTrialRequested();
    void verifyRequested();
    void cancelVerifyRequested();

private:
    QWidget* buildContent();
    QWidget* buildHead();
    QWidget* buildFacts();
    QWidget* buildFigures();
    QWidget* buildParts();
    QWidget* buildFiles();
    QWidget* buildButtons();
    void showFacts();
    void showProblems();
    void showParts();
    void showFits();
    void openFolder() const;

    const ThemeHolder& m_theme;
    std::shared_ptr<const Checkpoint> m_checkpoint;
    std::uint64_t m_totalBytes = 0;
    std::uint64_t m_availableBytes = 0;
    QLabel* m_nothing;
    QBoxLayout* m_columns;
    QWidget* m_content;
    QWidget* m_buttons;
    QLabel* m_name;
    ModeBadge* m_badge;
    QLabel* m_path;
    QWidget* m_facts;
    QWidget* m_problems;
    QWidget* m_parts;
    SegmentBar* m_segments;
    QLabel* m_partsTotal;
    QWidget* m_fits;
    FilesModel* m_files;
    FilesView* m_filesView;
    ActionButton* m_verify;
    VerifyStrip* m_strip;
};

} // namespace loadlab
