#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <unistd.h>

/// Takes memory and touches it: memory_hog MIB [STEP_MS_PER_16_MIB [HOLD_S]]. At most 512 MiB, whatever is asked for.
int main(int argc, char** argv)
{
    constexpr long most = 512;
    constexpr std::size_t step = std::size_t{16} << 20;
    const long mib = argc > 1 ? std::atol(argv[1]) : 0;
    const long pause = argc > 2 ? std::atol(argv[2]) : 0;
    const long hold = argc > 3 ? std::atol(argv[3]) : 0;
    if (mib > most)
        return 2;
    for (long taken = 0; taken < mib; taken += 16) {
        // Kept to the end on purpose, and not all of one byte.
        char* piece = new char[step];
        std::memset(piece, static_cast<int>(taken % 251 + 1), step);
        if (pause > 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(pause));
    }
    std::printf("took %ld MiB\n", mib);
    std::fflush(stdout);
    if (hold > 0)
        std::this_thread::sleep_for(std::chrono::seconds(hold));
    ::_exit(0);
}
