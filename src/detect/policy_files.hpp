// SPDX-License-Identifier: Apache-2.0
// The tables of policy/, as they were when the library was built.
#pragma once

#include <string_view>

namespace amzsync::detect {

/// By the name of the file; empty: there is none.
std::string_view policy_file(std::string_view name) noexcept;

}  // namespace amzsync::detect
