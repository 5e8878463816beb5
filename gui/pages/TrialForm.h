#pragma once

#include "core/trial/TrialRunner.h"
#include "gui/Lab.h"
#include "gui/models/Inspection.h"
#include "gui/widgets/ThemeHolder.h"

#include <QTimer>
#include <QWidget>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

class QComboBox;
class QGridLayout;
class QLabel;
class QLineEdit;

namespace loadlab {

class FolderEditor;
class LimitEditors;
class OptionEditor;
class ProgramEditor;
class RemarkLabel;
class VariablesEditor;

/// What is loaded and how: checkpoint, backend, dtype, device map, the backend's own options, limits. Everything about
/// the backend is built from its plugin.json. Beside each field stands what is known about it.
class TrialForm : public QWidget {
    Q_OBJECT

public:
    TrialForm(const ThemeHolder& theme, const Lab& lab, QWidget* parent = nullptr);

    /// The checkpoints to choose from; the chosen one stays chosen, also when the zoo does not hold it.
    void setCheckpoints(std::vector<std::shared_ptr<const Checkpoint>> checkpoints);
    void choose(std::shared_ptr<const Checkpoint> checkpoint);
    [[nodiscard]] std::shared_ptr<const Checkpoint> checkpoint() const;

    /// Chooses the backend that watches any program; its line gets the focus. choose() goes back to a loader.
    void watchProgram();
    [[nodiscard]] bool takesProgram() const; ///< Such a backend is chosen: no checkpoint, dtype or map.
    void setProgram(const std::vector<std::string>& program, const std::filesystem::path& folder,
        const ProgramVariables& variables);
    void setFolder(const std::filesystem::path& folder);
    /// What can be asked about the program before it runs; nothing where a checkpoint is loaded.
    [[nodiscard]] std::optional<ProgramQuestion> programQuestion() const;
    [[nodiscard]] QString subject() const; ///< The checkpoint's name, or the program in few words.

    /// Fills every field. An unknown backend or word leaves its field as it is and is told in a remark.
    void setVariant(const Variant& variant);
    void setLimits(const Limits& limits);
    /// The run whose remedy is being tried; forgotten as soon as another checkpoint is chosen.
    void setParent(std::optional<std::string> uuid, std::optional<std::string> remedy);

    /// As it stands, normalised by the manifest. The error names the field.
    [[nodiscard]] Result<TrialSpec> spec() const;
    [[nodiscard]] Variant variant() const;
    [[nodiscard]] Result<Limits> limits() const;
    [[nodiscard]] const PluginEntry* plugin() const;
    [[nodiscard]] bool pluginIsInstalled() const; ///< When the form was made.
    void showRemarks(const TrialInspection& inspection);

Q_SIGNALS:
    void changed(); ///< Anything; at once.
    void browseRequested(); ///< For a checkpoint, or for the folder that a program starts in.

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void place(RemarkLabel& remark);
    void buildModel();
    void buildProgram();
    void buildLoading();
    void buildLimits();
    QLabel* addSection(const QString& title, int row);
    QLabel* addRow(int row, const QString& label, QWidget* editor, Remark::Field field);
    void fillBackends();
    void addBackend(const PluginEntry& entry);
    Result<void> readProgram(TrialSpec& into) const;
    void takeBackend();
    void buildOptions(const PluginManifest& manifest);
    void addOption(int row, const PluginOption& option);
    void fillCheckpoints();
    void mark(QWidget* editor, bool bad);
    [[nodiscard]] QWidget* editorOf(Remark::Field field) const;

    const ThemeHolder& m_theme;
    const Lab& m_lab;
    std::vector<std::shared_ptr<const Checkpoint>> m_checkpoints;
    std::shared_ptr<const Checkpoint> m_chosen;
    std::optional<std::string> m_parentUuid;
    std::optional<std::string> m_remedy;
    QGridLayout* m_grid;
    QComboBox* m_checkpoint;
    QLabel* m_modelTitle;
    ProgramEditor* m_program;
    FolderEditor* m_folder;
    VariablesEditor* m_variables;
    std::vector<QWidget*> m_checkpointRows; ///< What only a loader asks.
    std::vector<QWidget*> m_programRows; ///< What only a backend asks that watches any program.
    QComboBox* m_backend;
    int m_loader = -1; ///< The last backend chosen that loads checkpoints.
    QComboBox* m_dtype;
    QComboBox* m_deviceMap;
    QLineEdit* m_maxMemory;
    QLabel* m_maxMemoryLabel;
    std::vector<OptionEditor*> m_options;
    std::vector<QWidget*> m_optionWidgets; ///< Editors, labels and help, to be taken away with the backend.
    LimitEditors* m_limits;
    std::map<Remark::Field, RemarkLabel*> m_remarks;
    std::map<RemarkLabel*, int> m_places; ///< The row that each remark speaks of.
    bool m_narrow = false; ///< Remarks stand below their editors.
    std::set<std::string> m_installed;
    bool m_filling = false;
};

} // namespace loadlab
