// SPDX-License-Identifier: Apache-2.0
#include "net/public_address.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <string>

namespace {

bool is_public(const std::string& text) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) return amzsync::net::is_public_address(reinterpret_cast<const sockaddr*>(&v4));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  REQUIRE(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1);
  return amzsync::net::is_public_address(reinterpret_cast<const sockaddr*>(&v6));
}

}  // namespace

TEST_SUITE_BEGIN("net");

TEST_CASE("addresses of this machine, its network and its cloud are not public, however they are written") {
  for (const char* own : {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1",
                          "198.19.255.255", "198.51.100.1", "203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "fc00::1", "fd00:ec2::254",
                          "fe80::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "4000::1"}) {
    CAPTURE(std::string(own));
    CHECK(!is_public(own));
  }
  for (const char* out_there : {"1.1.1.1", "9.255.255.255", "11.0.0.1", "52.94.225.248", "100.63.255.255", "100.128.0.1", "126.0.0.1", "128.0.0.1", "169.253.0.1", "172.15.0.1", "172.32.0.1", "192.0.3.1", "192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255",
                                "::ffff:1.1.1.1", "2600:9000:2000::1", "2002:101:101::1"}) {
    CAPTURE(std::string(out_there));
    CHECK(is_public(out_there));
  }
  sockaddr other{};
  other.sa_family = AF_UNIX;
  CHECK(!amzsync::net::is_public_address(&other));
}

TEST_SUITE_END();
