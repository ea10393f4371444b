// SPDX-License-Identifier: Apache-2.0
// The page for sellers' people: files in the program, of which index.html is the first.
#pragma once

#include <span>
#include <string_view>

namespace host {

struct DashboardFile {
  std::string_view name, text;
};
std::span<const DashboardFile> dashboard_files() noexcept;

}  // namespace host
