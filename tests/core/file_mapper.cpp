#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/// Loads as by mapping, and then stands still: file_mapper BYTES FILE... maps the files in their order and touches all
/// of them, of the last BYTES only. No descriptor stays open.
int main(int argc, char** argv)
{
    constexpr std::size_t page = 4096;
    for (int i = 2; i < argc; ++i) {
        struct stat status { };
        const int fd = ::open(argv[i], O_RDONLY);
        if (fd < 0 || ::fstat(fd, &status) != 0)
            return 2;
        const auto size = static_cast<std::size_t>(status.st_size);
        void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
        ::close(fd);
        if (data == MAP_FAILED)
            return 2;
        ::madvise(data, size, MADV_RANDOM);
        const std::size_t most = i + 1 < argc ? size : static_cast<std::size_t>(std::atol(argv[1]));
        for (std::size_t at = 0; at < most && at < size; at += page)
            static_cast<void>(*(static_cast<volatile const char*>(data) + at));
    }
    for (;;)
        ::pause();
}
