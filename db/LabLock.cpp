#include "db/LabLock.h"

#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace loadlab {
namespace {

struct flock byteOf(RunId run, short type)
{
    struct flock lock { };
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = run.value;
    lock.l_len = 1;
    return lock;
}

} // namespace

LabLock::LabLock(const std::filesystem::path& database)
    : m_file(database)
{
    if (!m_file.empty())
        m_file += "-labs";
}

LabLock::LabLock(LabLock&& other) noexcept
    : m_file(std::move(other.m_file))
    , m_descriptor(std::exchange(other.m_descriptor, -1))
{
}

LabLock::~LabLock()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

void LabLock::take(RunId run)
{
    if (m_file.empty())
        return;
    if (m_descriptor < 0)
        m_descriptor = ::open(m_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    struct flock lock = byteOf(run, F_WRLCK);
    if (m_descriptor >= 0) // of the open file, not of the process: two stores of one process see each other
        ::fcntl(m_descriptor, F_OFD_SETLK, &lock);
}

void LabLock::release(RunId run)
{
    struct flock lock = byteOf(run, F_UNLCK);
    if (m_descriptor >= 0)
        ::fcntl(m_descriptor, F_OFD_SETLK, &lock);
}

bool LabLock::isHeldElsewhere(RunId run) const
{
    if (m_file.empty())
        return false;
    const int other = ::open(m_file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (other < 0)
        return false;
    struct flock lock = byteOf(run, F_WRLCK);
    const bool held = ::fcntl(other, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    ::close(other);
    return held;
}

} // namespace loadlab
