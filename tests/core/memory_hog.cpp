#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t step = std::size_t{16} << 20;
constexpr std::size_t page = 4096;

/// In an order that no readahead foresees, every page once before one comes again.
void touchScattered(const std::vector<char*>& pieces, long pagesPerS, Clock::time_point until)
{
    constexpr std::size_t prime = 7919;
    const std::size_t pages = pieces.size() * step / page;
    for (std::size_t i = 0; pages > 0 && Clock::now() < until; ++i) {
        const std::size_t at = i * prime % pages * page;
        *static_cast<volatile char*>(pieces[at / step] + at % step) = static_cast<char>(i);
        std::this_thread::sleep_for(std::chrono::microseconds(1'000'000 / pagesPerS));
    }
}

} // namespace

/// Takes memory and touches it: memory_hog MIB [STEP_MS_PER_16_MIB [HOLD_S [again [PAGES]]]]. At most 1.5 GiB, whatever
/// is asked for. With "again" it touches all of it round and round while it holds it, or so many pages a second.
int main(int argc, char** argv)
{
    constexpr long most = 1536;
    const long mib = argc > 1 ? std::atol(argv[1]) : 0;
    const long pause = argc > 2 ? std::atol(argv[2]) : 0;
    const long hold = argc > 3 ? std::atol(argv[3]) : 0;
    const long pagesPerS = argc > 5 ? std::atol(argv[5]) : 0;
    if (mib > most)
        return 2;
    std::vector<char*> pieces;
    for (long taken = 0; taken < mib; taken += 16) {
        // Kept to the end on purpose, and not all of one byte.
        pieces.push_back(new char[step]);
        std::memset(pieces.back(), static_cast<int>(taken % 251 + 1), step);
        if (pause > 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(pause));
    }
    std::printf("took %ld MiB\n", mib);
    std::fflush(stdout);
    const auto until = Clock::now() + std::chrono::seconds(hold);
    if (pagesPerS > 0)
        touchScattered(pieces, pagesPerS, until);
    while (argc > 4 && Clock::now() < until)
        for (char* piece : pieces)
            for (std::size_t at = 0; at < step; at += page)
                *static_cast<volatile char*>(piece + at) = static_cast<char>(at);
    std::this_thread::sleep_until(until);
    ::_exit(0);
}
