#pragma once

#include "core/ProgramVariables.h"
#include "core/Result.h"
#include "gui/widgets/ThemeHolder.h"

#include <QWidget>

#include <filesystem>
#include <string>
#include <vector>

class QLabel;
class QLineEdit;

namespace loadlab {

/// The line of a program to watch, and what it is split into: no shell reads it, so the operator sees what the program
/// gets.
class ProgramEditor : public QWidget {
    Q_OBJECT

public:
    explicit ProgramEditor(QWidget* parent = nullptr);

    [[nodiscard]] QLineEdit* line() const { return m_line; }
    [[nodiscard]] QLabel* words() const { return m_words; } ///< To be placed below the line.
    void setProgram(const std::vector<std::string>& program);
    /// The program and its arguments; Invalid where the line cannot be split, or holds none.
    [[nodiscard]] Result<std::vector<std::string>> program() const;
    /// Signs in it that only a shell would act on, "|, $"; empty: none.
    [[nodiscard]] QString inertSigns() const;

Q_SIGNALS:
    void changed();

private:
    void showWords();

    QLineEdit* m_line;
    QLabel* m_words;
};

/// Environment variables of a program to watch, NAME=VALUE, split as its line is. Secrets that were set are shown
/// masked; they stay what they are until something else is typed.
class VariablesEditor : public QWidget {
    Q_OBJECT

public:
    explicit VariablesEditor(QWidget* parent = nullptr);

    [[nodiscard]] QLineEdit* line() const { return m_line; }
    void setVariables(const ProgramVariables& variables);
    /// Invalid where the line cannot be split, holds what is no variable, or a secret that is not known.
    [[nodiscard]] Result<ProgramVariables> variables() const;

Q_SIGNALS:
    void changed();

private:
    QLineEdit* m_line;
    ProgramVariables m_given;
};

/// A folder to start in, to be typed or chosen.
class FolderEditor : public QWidget {
    Q_OBJECT

public:
    explicit FolderEditor(const ThemeHolder& theme, QWidget* parent = nullptr);

    [[nodiscard]] QLineEdit* line() const { return m_line; }
    void setFolder(const std::filesystem::path& folder);
    /// Absolute; empty where nothing was typed. Invalid names what is no folder.
    [[nodiscard]] Result<std::filesystem::path> folder() const;

Q_SIGNALS:
    void changed();
    void browseRequested();

private:
    QLineEdit* m_line;
    std::filesystem::path m_given; ///< As it was set: its bytes may be no text.
};

} // namespace loadlab
