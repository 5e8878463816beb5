#pragma once

#include "core/Result.h"
#include "db/LogText.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace loadlab {

/// The newest samples and log text of a run in a ring outside SQLite, in the file DATABASE-box-UUID of 1 MiB: what is
/// added is in the system's page cache at once, so it outlives this process however that ends; sync() takes it to the
/// disk, for a power cut. All of the file is written when it is made: a disk that fills up later cannot touch it.
///
/// Format 1: 256 slots of 4096 bytes. Slot 0: "LoadLabBox1\n", the uuid's 36 characters. Each other slot: the slot's
/// number in order of time (8 bytes, little-endian, from 1 on; 0: unused), then records: length (4 bytes, 0: none
/// more), kind (1 byte: 's' samples, 'l' log), offset (8 bytes: log bytes said before), a chunk or log block
/// (docs/SCHEMA.md), whose own checksum tells whether it is whole. The oldest slot is written over.
///
/// add() from one thread at a time; sync() from any.
class BlackBox {
public:
    static constexpr std::size_t kBytes = std::size_t{1} << 20;

    /// Io: less than 32 MiB free, or no right there; the run goes on without.
    static Result<BlackBox> create(const std::filesystem::path& database, std::string_view uuid);
    BlackBox(BlackBox&&) noexcept;
    BlackBox& operator=(BlackBox&&) noexcept;
    ~BlackBox(); ///< Leaves the file: see remove().

    void add(std::span<const Sample> samples);
    /// `at`: how many bytes of log the run had said before these.
    void add(std::uint64_t at, const LogPiece& piece);
    /// Blocks until the disk has all of it.
    void sync() const;
    /// The run is stored: the file goes.
    void remove();

    struct Content {
        std::vector<Sample> samples; ///< In order of time.
        std::vector<std::pair<std::uint64_t, LogPiece>> log; ///< In the order said.
    };
    /// What is left of a run's box; NotFound: there is none; Invalid: it is none of ours.
    static Result<Content> read(const std::filesystem::path& database, std::string_view uuid);
    /// Removes what is left of a run's box.
    static void discard(const std::filesystem::path& database, std::string_view uuid);

private:
    struct Ring;
    explicit BlackBox(std::unique_ptr<Ring> ring);
    std::unique_ptr<Ring> m_ring;
};

} // namespace loadlab
