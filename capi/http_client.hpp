// SPDX-License-Identifier: Apache-2.0
// Exchanges by a client of the host's own (amzsync_http_client) in place of curl's.
#pragma once

#include <amzsync/amzsync.h>

#include <memory>

#include "base/clock.hpp"
#include "capi/host_data.hpp"
#include "net/http.hpp"

namespace amzsync::capi {
using namespace base;

/// A table of the host's functions, and what they are called with; freed with the last copy.
struct HttpClient {
  amzsync_http_client table;
  std::shared_ptr<HostData> data;
};

/// What it promises is what HttpTransport promises, whatever the host's client does: time and size are kept here, and an exchange that nobody waits for any more is
/// no longer listened to. Loop and clock must outlive it. Its end waits for functions of the host that are being called.
Result<std::unique_ptr<net::HttpTransport>> make_host_transport(Executor loop, Clock& clock, HttpClient client);

}  // namespace amzsync::capi
