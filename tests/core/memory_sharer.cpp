#include <cstdlib>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/// Shares memory: memory_sharer MIB CHILDREN HOLD_MS. It touches all of it, and so does every child. At most 512 MiB.
int main(int argc, char** argv)
{
    const long mib = argc > 1 ? std::atol(argv[1]) : 0;
    const long children = argc > 2 ? std::atol(argv[2]) : 0;
    const long holdMs = argc > 3 ? std::atol(argv[3]) : 0;
    if (mib < 1 || mib > 512)
        return 2;
    const std::size_t size = static_cast<std::size_t>(mib) << 20;
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 3;
    const auto touch = [memory, size] {
        for (std::size_t at = 0; at < size; at += 4096)
            static_cast<volatile char*>(memory)[at] = 1;
    };
    touch();
    for (long i = 0; i < children; ++i)
        if (::fork() == 0) {
            // At one go where the kernel can: faults of its own would make a fork's memory look like its own.
            if (::madvise(memory, size, MADV_POPULATE_READ) != 0)
                touch();
            ::usleep(static_cast<useconds_t>(holdMs * 1000));
            ::_exit(0);
        }
    while (::wait(nullptr) > 0) { }
    return 0;
}
