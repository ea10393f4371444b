// SPDX-License-Identifier: Apache-2.0
// The library's figures, and the host's own, as Prometheus reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace host {

/// `measures`: the JSON of amzsync_measures. `streams`: event streams that are open.
std::string metrics_text(std::string_view measures, std::int64_t streams);

}  // namespace host
