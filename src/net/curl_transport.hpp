// SPDX-License-Identifier: Apache-2.0
// HTTP over libcurl's multi interface, driven by the engine's loop: no thread of its own, connections kept and reused.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "net/http.hpp"

namespace amzsync::net {

struct CurlOptions {
  int max_transfers = 64;        ///< more wait in line; one that takes long makes room for another
  int max_slow = 1'000;          ///< so many may take long
  std::string ca_file;           ///< empty: the system's certificates
  std::string proxy;             ///< through which https goes, as a tunnel, so that it sees neither requests nor answers; empty: none
  Duration connect_timeout = std::chrono::seconds(10);
};

/// TLS 1.2 or later, always verified; no redirects; no proxy but the one that is named, whatever the environment says. Loop and clock must outlive it.
std::unique_ptr<HttpTransport> make_curl_transport(Executor loop, Clock& clock, CurlOptions options);

}  // namespace amzsync::net
