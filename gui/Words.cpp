#include "gui/Words.h"

#include "core/Text.h"

#include <QFile>

#include <cstdlib>

namespace loadlab {

QString toQString(std::string_view bytes)
{
    const std::string text = toUtf8(bytes);
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString shownPath(const std::filesystem::path& path)
{
    const char* home = std::getenv("HOME");
    const std::string& bytes = path.native();
    const std::string_view start = home ? home : "";
    const bool inHome
        = start.size() > 1 && bytes.starts_with(start) && (bytes.size() == start.size() || bytes[start.size()] == '/');
    return inHome ? QStringLiteral("~") + toQString(std::string_view(bytes).substr(start.size())) : toQString(bytes);
}

std::filesystem::path toPath(const QString& fileName)
{
    return QFile::encodeName(fileName).toStdString();
}

QString toSentence(const Error& error)
{
    QString words = toQString(error.message).trimmed();
    if (words.isEmpty())
        return QStringLiteral("Something went wrong, and nothing is known about it.");
    words[0] = words[0].toUpper();
    return words.back().isPunct() ? words : words + QLatin1Char('.');
}

} // namespace loadlab
