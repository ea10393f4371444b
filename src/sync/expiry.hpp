// SPDX-License-Identifier: Apache-2.0
// What ends without a person and is told long before: a seller's authorisation, after 365 days, and the application's client secret, after 180.
#pragma once

#include "sync/services.hpp"

namespace amzsync::sync {

/// Sellers renew an application's authorisation yearly ("Renew Authorizations").
constexpr Duration kAuthorisationLife = std::chrono::hours(24 * 365);

/// Journals `connection.expiring` 30, 14, 7, 3 and 1 days before, each once; to be called every hour or so.
Async<Status> tell_what_expires(Services& services, CancelToken closing);

}  // namespace amzsync::sync
