// SPDX-License-Identifier: Apache-2.0
// What usually goes wrong around the engine, looked at one by one, each with what to do about it.
#pragma once

#include <string>

#include "auth/vault.hpp"
#include "sync/services.hpp"
#include "sync/triggers.hpp"

namespace amzsync::sync {
using namespace base;

/// JSON {"healthy", "checks": [{"name", "state", "message", "fix"?}]}. `state`: "ok"; "wrong", which somebody must mend; "warning"; "unknown", where
/// another fault stands before it. Asks Amazon at most five things, in half a minute at most; changes nothing but a token that was renewed. Errors: store_*.
/// Loop thread.
Async<Result<std::string>> examine(Services& services, const auth::Vault& vault, const AppSettings& app, CancelToken life);

}  // namespace amzsync::sync
