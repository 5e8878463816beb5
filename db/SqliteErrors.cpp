#include "db/Sqlite.h"

#include "core/Text.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace loadlab::sqlite {
namespace {

constexpr std::string_view kElsewhere = "name another file with --db or LOADLAB_DB";

std::string systemWords(int systemErrno)
{
    return systemErrno == 0 ? std::string("the system refused it") : std::string(::strerror(systemErrno));
}

bool isNoSpace(int code, int systemErrno)
{
    return (code & 0xff) == SQLITE_FULL || systemErrno == ENOSPC || systemErrno == EDQUOT || systemErrno == EFBIG;
}

std::string noSpaceWords(int systemErrno)
{
    if (systemErrno == EDQUOT)
        return "your disk quota is used up";
    if (systemErrno == EFBIG)
        return "the file may not grow any further (a limit on file sizes)";
    return "no space is left on its disk";
}

} // namespace

Error describe(const std::filesystem::path& file, int extendedCode, int systemErrno, std::string_view detail)
{
    const std::string name = toUtf8(file.native());
    const std::string folder = toUtf8(file.parent_path().native());
    const auto io = [&name](std::string_view words) { return Error{ErrorKind::Io, name + ": " + std::string(words)}; };
    const auto invalid = [&name](std::string_view words) {
        return Error{ErrorKind::Invalid, name + ": " + std::string(words)};
    };
    const std::string elsewhere(kElsewhere);

    const int code = extendedCode & 0xff;
    const bool ioCode = code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN;
    if (ioCode && isNoSpace(extendedCode, systemErrno))
        return io(noSpaceWords(systemErrno) + "; free some space there, or " + elsewhere);
    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return io("another program keeps the database locked; wait for it or close it, or " + elsewhere);
    case SQLITE_READONLY:
        if (extendedCode == SQLITE_READONLY_DBMOVED)
            return io("the file was moved or deleted while it was in use; put it back, or " + elsewhere);
        if (extendedCode == SQLITE_READONLY_DIRECTORY)
            return io("its folder " + folder + " is read-only; make it writable, or " + elsewhere);
        return io("the file is read-only; make it writable (chmod u+w), or " + elsewhere);
    case SQLITE_CANTOPEN:
        // A file that may not be made is then sought for reading: the second errno says nothing of the first refusal.
        if (systemErrno == ENOENT && ::faccessat(AT_FDCWD, file.parent_path().c_str(), W_OK | X_OK, AT_EACCESS) != 0)
            systemErrno = errno;
        return io("cannot be opened, or a file beside it cannot be made in " + folder + " (" + systemWords(systemErrno)
            + "); give yourself access to file and folder, or " + elsewhere);
    case SQLITE_NOTADB:
        return invalid("this file is not a database; " + elsewhere);
    case SQLITE_CORRUPT:
        return invalid("the database is damaged (" + toUtf8(detail) + "); restore a backup, or " + elsewhere);
    case SQLITE_CONSTRAINT:
        return invalid("this does not fit what is stored (" + toUtf8(detail) + ")");
    case SQLITE_IOERR:
        return io("reading or writing failed (" + systemWords(systemErrno) + ", SQLite code "
            + std::to_string(extendedCode) + "); check disk and permissions, or " + elsewhere);
    default:
        return io(toUtf8(detail) + " (SQLite code " + std::to_string(extendedCode) + ")");
    }
}

} // namespace loadlab::sqlite
