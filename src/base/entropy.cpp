// SPDX-License-Identifier: Apache-2.0
#include "base/entropy.hpp"

#include <openssl/rand.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/crypto.hpp"

namespace amzsync::base {
namespace {

class SystemEntropy final : public Entropy {
 public:
  std::string bytes(std::size_t count) override {
    std::string out(count, '\0');
    // A machine without randomness must not go on with predictable states and nonces.
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1)
      throw std::runtime_error("the operating system gives no random bytes");
    return out;
  }
};

}  // namespace

std::uint64_t Entropy::number() {
  const std::string raw = bytes(8);
  std::uint64_t value = 0;
  std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

Duration Entropy::below(Duration span) {
  if (span <= Duration::zero()) return Duration::zero();
  return Duration(static_cast<Duration::rep>(number() % static_cast<std::uint64_t>(span.count())));
}

std::string Entropy::uuid7(Instant at) {
  std::string raw = bytes(16);
  const auto ms = static_cast<std::uint64_t>(to_us(at) / 1000);
  for (std::size_t i = 0; i < 6; ++i) raw[i] = static_cast<char>(ms >> (40 - 8 * i));
  raw[6] = static_cast<char>((static_cast<unsigned char>(raw[6]) & 0x0F) | 0x70);
  raw[8] = static_cast<char>((static_cast<unsigned char>(raw[8]) & 0x3F) | 0x80);
  std::string text = hex(raw);
  for (const std::size_t at_dash : {8U, 13U, 18U, 23U}) text.insert(at_dash, 1, '-');
  return text;
}

std::unique_ptr<Entropy> make_system_entropy() { return std::make_unique<SystemEntropy>(); }

}  // namespace amzsync::base
