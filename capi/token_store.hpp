// SPDX-License-Identifier: Apache-2.0
// Refresh tokens in a store of the host's own (amzsync_token_store).
#pragma once

#include <amzsync/amzsync.h>

#include <memory>

#include "auth/token_store.hpp"
#include "base/clock.hpp"
#include "capi/host_data.hpp"

namespace amzsync::capi {
using namespace base;

/// A table of the host's functions, and what they are called with; freed with the last copy.
struct HostTokens {
  amzsync_token_store table;
  std::shared_ptr<HostData> data;
};

/// Loop and clock must outlive it. Its end waits for functions of the host that are being called.
Result<std::unique_ptr<auth::TokenStore>> make_host_token_store(Executor loop, Clock& clock, HostTokens tokens);

}  // namespace amzsync::capi
