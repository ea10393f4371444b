// SPDX-License-Identifier: Apache-2.0
// Hashes and text forms of bytes, over OpenSSL.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace amzsync::base {

using Sha256 = std::array<std::uint8_t, 32>;
Sha256 sha256(std::string_view bytes);

/// The first 16 bytes of a SHA-256: the identity of a row that Amazon gave no id.
struct Hash128 {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  static Hash128 of(std::string_view text);
  static Hash128 from(std::string_view sixteen_bytes) noexcept;
  /// Order-free sum, so that the digest of a set does not depend on the order in which its members came.
  Hash128& operator+=(const Hash128& other) noexcept;
};

struct Hash128Hasher {
  std::size_t operator()(const Hash128& h) const noexcept;
};

std::string base64_encode(std::string_view bytes);
/// Standard alphabet, padding required; nullopt when malformed.
std::optional<std::string> base64_decode(std::string_view text);
std::string hex(std::string_view bytes);

/// RFC 3986: everything but unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);

/// Whether the text is well-formed UTF-8 (no overlong forms, no surrogates).
bool valid_utf8(std::string_view text) noexcept;
/// Cuts to at most `max_bytes` at a character boundary and replaces what is not UTF-8; for texts of foreign origin.
std::string clean_utf8(std::string_view text, std::size_t max_bytes);
/// What every database can hold of a text: each byte that is no UTF-8, and each NUL, becomes U+FFFD.
std::string storable_utf8(std::string_view text);

}  // namespace amzsync::base
