// SPDX-License-Identifier: Apache-2.0
// A new master key takes over: every stored secret is sealed anew with it, while hosts work.
#pragma once

#include <string>
#include <vector>

#include "auth/vault.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

namespace amzsync::auth {

struct Rotation {
  std::string key;                  ///< the id of the key that seals
  std::int64_t secrets = 0;         ///< looked at
  std::int64_t resealed = 0;
  std::int64_t restored = 0;        ///< connections that waited for their seller only because no key had opened their token
  std::vector<UserId> unreadable;   ///< whose secrets no key opens
};

/// Some connections at a time, each time in one transaction, so it can be broken off anywhere and done again; what the key sealed already is left alone. Hosts
/// that do not have the new key yet cannot open what it sealed: give it to all of them first. Errors: store_*. Loop thread.
Async<Result<Rotation>> seal_anew(store::Store& store, const Vault& vault, Log log);

}  // namespace amzsync::auth
