// SPDX-License-Identifier: Apache-2.0
// What the fuzzer feeds: each target takes bytes of anybody's making, and says what of its law they broke.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

struct Target {
  std::string name;
  /// Feeds the bytes; what of the law does not hold, or nothing.
  std::string (*feed)(const Target& target, std::string_view bytes);
  /// Where the corpus begins.
  std::vector<std::string> (*seeds)(const Target& target);
};

/// The files beside this one, each with its own.
std::vector<Target> answer_targets();
std::vector<Target> document_targets();
std::vector<Target> text_targets();
std::vector<Target> http_targets();
std::vector<Target> call_targets();
std::vector<Target> sync_targets();

/// The first bytes as a number below `below`, taken off; 0 where there are none.
std::size_t take(std::string_view& bytes, std::size_t below);

}  // namespace fuzz
