// SPDX-License-Identifier: Apache-2.0
// Randomness: a seam, so that a test world with the same seed takes the same course.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/time.hpp"

namespace amzsync::base {

class Entropy {
 public:
  virtual ~Entropy() = default;
  /// Random bytes fit for keys and consent states. Any thread.
  virtual std::string bytes(std::size_t count) = 0;

  std::uint64_t number();
  /// Evenly spread over [0, span); for jitter.
  Duration below(Duration span);
  /// UUIDv7: ids that sort by time.
  std::string uuid7(Instant at);
};

/// The operating system's generator, through OpenSSL.
std::unique_ptr<Entropy> make_system_entropy();

}  // namespace amzsync::base
