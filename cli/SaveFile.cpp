#include "cli/SaveFile.h"

#include "core/Text.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <streambuf>
#include <string>
#include <unistd.h>

namespace loadlab::cli {
namespace fs = std::filesystem;
namespace {

Error cannotWrite(const fs::path& file, int number)
{
    return {ErrorKind::Io, toUtf8(file.string()) + " cannot be written: " + std::strerror(number)};
}

/// 0, or errno.
int syncToDisk(const fs::path& file)
{
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    const int failure = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    return failure;
}

} // namespace

Result<void> saveFile(const fs::path& asked, const std::function<void(std::ostream&)>& write)
{
    std::error_code missing;
    const bool link = fs::is_symlink(asked, missing);
    const fs::path file = link ? fs::weakly_canonical(asked, missing) : asked;
    if (fs::exists(file, missing) && !fs::is_regular_file(file, missing))
        return Error{ErrorKind::Io, toUtf8(asked.string()) + " is there and no regular file: it is not replaced."};
    const fs::path beside
        = file.parent_path() / ("." + file.filename().string() + "." + std::to_string(::getpid()) + ".part");
    errno = 0;
    std::ofstream stream(beside, std::ios::binary | std::ios::trunc);
    if (!stream)
        return cannotWrite(asked, errno ? errno : EIO);
    write(stream);
    stream.close();
    int failure = stream ? 0 : (errno ? errno : EIO);
    if (failure == 0)
        failure = syncToDisk(beside);
    if (failure == 0 && ::rename(beside.c_str(), file.c_str()) != 0)
        failure = errno;
    if (failure == 0)
        return {};
    ::unlink(beside.c_str());
    return cannotWrite(asked, failure);
}

class OutputStream::Buffer : public std::streambuf {
public:
    explicit Buffer(Output& output)
        : m_out(output)
    {
    }

protected:
    int_type overflow(int_type c) override
    {
        if (!traits_type::eq_int_type(c, traits_type::eof())) {
            const char byte = traits_type::to_char_type(c);
            m_out.print(std::string_view(&byte, 1));
        }
        return m_out.readerIsGone() ? traits_type::eof() : traits_type::not_eof(c);
    }
    std::streamsize xsputn(const char* bytes, std::streamsize count) override
    {
        m_out.print(std::string_view(bytes, static_cast<std::size_t>(count)));
        return m_out.readerIsGone() ? 0 : count;
    }

private:
    Output& m_out;
};

OutputStream::OutputStream(Output& output)
    : std::ostream(nullptr)
    , m_buffer(std::make_unique<Buffer>(output))
{
    rdbuf(m_buffer.get());
}

OutputStream::~OutputStream() = default;

} // namespace loadlab::cli
