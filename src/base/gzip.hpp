// SPDX-License-Identifier: Apache-2.0
// Packs by gzip. What undoes it, piece by piece and with its limits, is in gunzip.hpp.
#pragma once

#include <string>
#include <string_view>

namespace amzsync::base {

/// The whole at once, fast rather than small.
std::string gzipped(std::string_view bytes);

}  // namespace amzsync::base
