// SPDX-License-Identifier: Apache-2.0
// What becomes of engines that nobody has closed when the process exits: their threads are stopped before what they use is taken away. No callback is called and nothing is
// told to the database: to others it looks like a process that died.
#include "capi/exit.hpp"

#include <stdlib.h>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "capi/handles.hpp"

namespace amzsync::capi {
namespace {

void halt(int, void*) noexcept {
  while (const auto* engine = static_cast<const amzsync_engine*>(Live::take_engine()))
    if (engine->opened_by == ::getpid() && !InsideHost::now()) engine->runtime->halt();
}

}  // namespace

void halt_at_exit() {
  // Other libraries, OpenSSL and simdjson, clean up as well, those first that began last: when they are first really used.
  [[maybe_unused]] static const bool once = [] {
    (void)sha256("");
    (void)JsonDocument::parse("{}");
    if (::on_exit(halt, nullptr) != 0) throw std::bad_alloc();   // the next one tries again
    return true;
  }();
}

}  // namespace amzsync::capi
