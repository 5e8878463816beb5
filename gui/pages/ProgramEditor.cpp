#include "gui/pages/ProgramEditor.h"

#include "core/Locations.h"
#include "core/ShellWords.h"
#include "core/Text.h"
#include "gui/Words.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/Type.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QVBoxLayout>

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::size_t kShownWords = 8;
constexpr std::size_t kShownCharacters = 60;

/// As it is, where that can be read on a line of its own.
QString shown(const std::string& word)
{
    const std::string quoted = quotedForShell(word);
    return toQString(shortenedInMiddle(word.empty() || quoted.starts_with("$'") ? quoted : word, kShownCharacters));
}

/// "program  python3", "1  train.py": a line for each.
QString listOf(const std::vector<std::string>& words)
{
    QStringList lines;
    for (std::size_t i = 0; i < std::min(words.size(), kShownWords); ++i)
        lines << QStringLiteral("%1  %2")
                     .arg(i == 0 ? QStringLiteral("program") : QString::number(i), 7)
                     .arg(shown(words[i]));
    if (words.size() > kShownWords)
        lines << QStringLiteral("%1  and %2 more").arg(QString(), 7).arg(words.size() - kShownWords);
    return lines.join(QLatin1Char('\n'));
}

} // namespace

ProgramEditor::ProgramEditor(QWidget* parent)
    : QWidget(parent)
    , m_line(new QLineEdit(this))
    , m_words(makeMuted({}, this))
{
    m_line->setAccessibleName(QStringLiteral("Program"));
    m_line->setObjectName(QStringLiteral("Program"));
    m_line->setPlaceholderText(QStringLiteral("python3 train.py --name 'two words'"));
    m_line->setToolTip(QStringLiteral(
        "Split as a shell would: quotes and backslashes keep words together. No shell runs: for pipes, variables or "
        "wildcards start one, sh -c '…'."));
    m_words->setObjectName(QStringLiteral("programWords"));
    m_words->setAccessibleName(QStringLiteral("What the program gets"));
    m_words->setTextFormat(Qt::PlainText);
    m_words->setFont(type::fixed(font()));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_line);
    connect(m_line, &QLineEdit::textChanged, this, [this] {
        showWords();
        Q_EMIT changed();
    });
    showWords();
}

void ProgramEditor::setProgram(const std::vector<std::string>& program)
{
    m_line->setText(toQString(shellLine(program)));
    m_line->setCursorPosition(0);
}

Result<std::vector<std::string>> ProgramEditor::program() const
{
    Result<SplitLine> split = splitLikeShell(m_line->text().toStdString());
    if (!split)
        return std::move(split).error();
    if (split->words.empty() || split->words.front().empty())
        return Error{ErrorKind::NotFound, "type the program to watch, with its arguments"};
    return std::move(split->words);
}

QString ProgramEditor::inertSigns() const
{
    const Result<SplitLine> split = splitLikeShell(m_line->text().toStdString());
    QStringList signs;
    for (const std::string& sign : split ? split->inert : std::vector<std::string>())
        signs << toQString(sign);
    return signs.join(QStringLiteral(", "));
}

void ProgramEditor::showWords()
{
    const Result<std::vector<std::string>> words = program();
    m_words->setText(words ? listOf(*words) : QStringLiteral("what the program gets: no shell runs it"));
}

VariablesEditor::VariablesEditor(QWidget* parent)
    : QWidget(parent)
    , m_line(new QLineEdit(this))
{
    m_line->setAccessibleName(QStringLiteral("Variables"));
    m_line->setObjectName(QStringLiteral("Variables"));
    m_line->setPlaceholderText(QStringLiteral("none but the lab’s own; OMP_NUM_THREADS=4 NAME='two words'"));
    m_line->setToolTip(
        QStringLiteral("Environment variables, beside those that the program inherits from the lab. "
                       "Split as a shell would; nothing is expanded.\nThe values of secrets (by their "
                       "name: …TOKEN, …KEY, PASSWORD), and passwords in URLs, are neither shown nor stored."));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_line);
    connect(m_line, &QLineEdit::textChanged, this, &VariablesEditor::changed);
}

void VariablesEditor::setVariables(const ProgramVariables& variables)
{
    m_given = variables;
    m_line->setText(toQString(shellLine(shownVariables(variables))));
    m_line->setCursorPosition(0);
}

Result<ProgramVariables> VariablesEditor::variables() const
{
    const Result<SplitLine> split = splitLikeShell(m_line->text().toStdString());
    if (!split)
        return split.error();
    Result<ProgramVariables> variables = parseVariables(split->words);
    if (!variables)
        return variables;
    for (auto& [name, value] : *variables)
        if (const auto given = m_given.find(name); given != m_given.end() && value == shownValue(name, given->second))
            value = given->second;
    if (Result<void> known = checkSecretsKnown(*variables); !known)
        return std::move(known).error();
    return variables;
}

FolderEditor::FolderEditor(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_line(new QLineEdit(this))
{
    m_line->setAccessibleName(QStringLiteral("Working folder"));
    m_line->setObjectName(QStringLiteral("Working folder"));
    std::error_code ignored;
    m_line->setPlaceholderText(shownPath(std::filesystem::current_path(ignored)));
    auto* browse
        = new IconButton(theme, QStringLiteral("folder"), QStringLiteral("Choose the folder it starts in"), this);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(4);
    row->addWidget(m_line, 1);
    row->addWidget(browse);
    connect(browse, &QToolButton::clicked, this, &FolderEditor::browseRequested);
    connect(m_line, &QLineEdit::textChanged, this, &FolderEditor::changed);
}

void FolderEditor::setFolder(const std::filesystem::path& folder)
{
    m_given = folder;
    m_line->setText(shownPath(folder));
}

Result<std::filesystem::path> FolderEditor::folder() const
{
    const QString typed = m_line->text().trimmed();
    if (typed.isEmpty())
        return std::filesystem::path();
    const bool inHome = typed == QLatin1String("~") || typed.startsWith(QLatin1String("~/"));
    const std::filesystem::path folder = typed == shownPath(m_given) ? m_given
        : inHome                                                     ? homeFolder() / toPath(typed.mid(2))
                                                                     : toPath(typed);
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored))
        return Error{ErrorKind::Invalid, toUtf8(folder.string()) + " is no folder"};
    return std::filesystem::absolute(folder, ignored);
}

} // namespace loadlab
