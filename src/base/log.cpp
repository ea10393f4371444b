// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

namespace amzsync::base {

std::string_view level_name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: break;
  }
  return "error";
}

}  // namespace amzsync::base
