// SPDX-License-Identifier: Apache-2.0
// Days as a marketplace counts them: claims are due by its calendar, not by UTC's.
#pragma once

#include <string_view>

#include "base/time.hpp"

namespace amzsync::detect {
using namespace base;

/// `country`: ISO, of the marketplace; an unknown one counts by UTC.
Day local_day(Instant at, std::string_view country);
/// When a local day begins.
Instant begin_of(Day local, std::string_view country);

}  // namespace amzsync::detect
