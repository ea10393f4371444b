// SPDX-License-Identifier: Apache-2.0
// The pages that Amazon's lists come in, and the law that holds for each of them, whatever it says.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/json.hpp"

namespace support {

using namespace amzsync::base;   // NOLINT: vocabulary

/// What became of a page's rows.
struct Account {
  std::size_t stored = 0, unreadable = 0;
  std::string lost = {};   ///< values of stored rows that are nowhere in what was decoded
};

/// One API: a small page of it, which has everything once, how it is read, and how many rows an answer holds.
struct Api {
  const char* name;
  std::string page;
  Result<Account> (*read)(const JsonDocument&);
  std::size_t (*received)(Json answer);
};
std::span<const Api> apis();

/// Either the whole is refused with an error, or every row that came is there or kept as unreadable, and no value of it is lost.
struct Reading {
  bool refused = false;
  std::string broken = {};   ///< what of the law does not hold; empty: all of it does
};
Reading read_page(const Api& api, const std::string& text);

}  // namespace support
