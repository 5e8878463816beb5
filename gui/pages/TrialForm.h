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

class LimitEditors;
class OptionEditor;
class RemarkLabel;

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
    void browseRequested();

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void place(RemarkLabel& remark);
    void buildModel();
    void buildLoading();
    void buildLimits();
    void addSection(const QString& title, int row);
    QLabel* addRow(int row, const QString& label, QWidget* editor, Remark::Field field);
    void fillBackends();
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
    QComboBox* m_backend;
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
