// SPDX-License-Identifier: Apache-2.0
#include "auth/vault.hpp"

#include <doctest/doctest.h>

#include "base/crypto.hpp"

using namespace amzsync::auth;

namespace {

const std::string kOne = base64_encode(std::string(32, '1')), kTwo = base64_encode(std::string(32, '2'));

Vault vault(const std::string& keys, Entropy& entropy) { return Vault(*MasterKeys::parse(keys), entropy); }

}  // namespace

TEST_SUITE_BEGIN("auth");

TEST_CASE("what was sealed opens for the same user, kind and key, and nowhere else") {
  const auto entropy = make_system_entropy();
  const Vault v = vault(kOne, *entropy);
  const Secret token(std::string("Atzr|a refresh token"));
  const std::string sealed = v.seal(SecretKind::refresh_token, UserNo{7}, token);
  CHECK(sealed.find("refresh") == std::string::npos);
  CHECK(v.open(SecretKind::refresh_token, UserNo{7}, sealed)->reveal() == token.reveal());
  CHECK(v.open(SecretKind::refresh_token, UserNo{8}, sealed).code() == Code::key_unknown);
  CHECK(v.open(SecretKind::access_token, UserNo{7}, sealed).code() == Code::key_unknown);
  CHECK(vault(kTwo, *entropy).open(SecretKind::refresh_token, UserNo{7}, sealed).code() == Code::key_unknown);
  CHECK(v.seal(SecretKind::refresh_token, UserNo{7}, token) != sealed);   // never the same nonce
}

TEST_CASE("a single changed bit, or a cut, keeps a sealed value from opening") {
  const auto entropy = make_system_entropy();
  const Vault v = vault(kOne, *entropy);
  const std::string sealed = v.seal(SecretKind::refresh_token, UserNo{7}, Secret(std::string("token")));
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    std::string changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
    CHECK(!v.open(SecretKind::refresh_token, UserNo{7}, changed));
  }
  for (std::size_t n = 0; n < sealed.size(); ++n) CHECK(!v.open(SecretKind::refresh_token, UserNo{7}, sealed.substr(0, n)));
}

TEST_CASE("with several keys the first seals and all open") {
  const auto entropy = make_system_entropy();
  const std::string old = vault("old:" + kOne, *entropy).seal(SecretKind::access_token, UserNo{1}, Secret(std::string("x")));
  const Vault both = vault("new:" + kTwo + ",old:" + kOne, *entropy);
  CHECK(both.open(SecretKind::access_token, UserNo{1}, old));
  const std::string fresh = both.seal(SecretKind::access_token, UserNo{1}, Secret(std::string("y")));
  CHECK(vault("new:" + kTwo, *entropy).open(SecretKind::access_token, UserNo{1}, fresh));
  CHECK(!vault("old:" + kOne, *entropy).open(SecretKind::access_token, UserNo{1}, fresh));
  CHECK(both.is_current(fresh));
  CHECK_FALSE(both.is_current(old));
  CHECK_FALSE(vault("newer:" + kTwo, *entropy).is_current(fresh));   // "new" is not the head of its name
  CHECK_FALSE(both.is_current(""));
}

TEST_CASE("a master key that is none is refused without being shown") {
  for (const std::string& bad : {std::string(), std::string("abc"), base64_encode("short"), "id with blank:" + kOne, "a:" + kOne + ",a:" + kTwo, kOne + "," , kOne + "," + kTwo, std::string("x:")}) {
    const auto keys = MasterKeys::parse(bad);
    if (bad == kOne + ",") continue;   // a trailing comma is harmless
    CHECK(!keys);
    if (!keys) CHECK(keys.error().message.find(kOne.substr(0, 10)) == std::string::npos);
  }
}

TEST_SUITE_END();
