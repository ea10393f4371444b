// SPDX-License-Identifier: Apache-2.0
// The end of a user: all rows, in every table, some at a time, so that no writer waits for long. It can break off anywhere and be taken up again.
#pragma once

#include <map>

#include "store/sql.hpp"

namespace amzsync::store {

/// Whether anything is stored of what Amazon told of a user's seller, or a sync is about to store some: days that were read and showed nothing, and documents that wait to be read, count.
bool holds_what_was_read(Tx& tx, UserNo user);

/// Rows deleted, by table.
using ErasedRows = std::map<std::string, std::int64_t, std::less<>>;

/// From here on nobody finds the user: the tokens are gone, and what is left stands under `mask`, a name that nobody can guess. nullopt: there is no
/// such user. Whoever comes by that name later is somebody new.
std::optional<UserNo> begin_erasure(Tx& tx, const UserId& user, std::string_view mask);
/// Deletes the next rows, some thousand at most, and adds their numbers to `erased`. False: nothing is left but that the user is being erased.
bool erase_some(Tx& tx, UserNo user, ErasedRows& erased);
/// The last of it, once the files hold nothing of the rows any more: until then whoever comes next takes it up again.
void end_erasure(Tx& tx, UserNo user, ErasedRows& erased);
/// Users whose erasure has begun and is not over.
std::vector<UserNo> erasures_under_way(Tx& tx);

}  // namespace amzsync::store
