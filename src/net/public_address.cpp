// SPDX-License-Identifier: Apache-2.0
#include "net/public_address.hpp"

#include <netinet/in.h>

#include <cstdint>

namespace amzsync::net {
namespace {

/// IANA's registry of special addresses.
bool is_public_v4(std::uint32_t ip) noexcept {
  const auto in = [ip](std::uint32_t net, int bits) { return ip >> (32 - bits) == net >> (32 - bits); };
  return !(in(0x00000000, 8) || in(0x0A000000, 8) || in(0x64400000, 10) || in(0x7F000000, 8) || in(0xA9FE0000, 16) || in(0xAC100000, 12) || in(0xC0000000, 24) || in(0xC0000200, 24) ||
           in(0xC0A80000, 16) || in(0xC6120000, 15) || in(0xC6336400, 24) || in(0xCB007100, 24) || in(0xE0000000, 3));
}

bool is_public_v6(const in6_addr& ip) noexcept {
  const unsigned char* b = ip.s6_addr;
  const auto word = [b](int at) { return static_cast<std::uint32_t>(b[at]) << 24 | static_cast<std::uint32_t>(b[at + 1]) << 16 | static_cast<std::uint32_t>(b[at + 2]) << 8 | b[at + 3]; };
  if (IN6_IS_ADDR_V4MAPPED(&ip)) return is_public_v4(word(12));
  const bool global = (b[0] & 0xE0) == 0x20;                           // 2000::/3; all else is local, multicast or a translator's
  if (word(0) >> 16 == 0x2002) return is_public_v4(word(2));           // 6to4 carries an address of the other kind
  const bool teredo = word(0) == 0x20010000, documentation = word(0) == 0x20010DB8;
  return global && !teredo && !documentation;
}

}  // namespace

bool is_public_address(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET) return is_public_v4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  if (address->sa_family == AF_INET6) return is_public_v6(reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
  return false;
}

}  // namespace amzsync::net
