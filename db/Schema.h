#pragma once

#include "core/Result.h"

#include <cstdint>
#include <span>

namespace loadlab::sqlite {
class Connection;
}

/// The shape of the database (docs/SCHEMA.md) and how an older one is brought to it. Inside db/ only.
namespace loadlab::schema {

inline constexpr std::int32_t kApplicationId = 0x4c4c6162; ///< "LLab": PRAGMA application_id of every LoadLab database.

/// What leads from schema `number` − 1 to `number`. Once released, the text of a migration never changes.
struct Migration {
    int number;
    const char* sql;
};
std::span<const Migration> migrations();
int newest();

/// Applies the migrations above the file's PRAGMA user_version, each in a transaction of its own that also sets it: a
/// migration that fails leaves the database as it was. Two processes may try at once; each migration happens once.
Result<void> migrate(const sqlite::Connection& database, std::span<const Migration> steps = migrations());

} // namespace loadlab::schema
