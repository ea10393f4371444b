// SPDX-License-Identifier: Apache-2.0
// The token endpoint's client against the simulator of it, every error of the facts sheet's table included.
#include "auth/lwa.hpp"

#include <doctest/doctest.h>

#include "world/world.hpp"

using namespace world;
namespace auth = amzsync::auth;

namespace {

struct Lwa {
  explicit Lwa(std::string secret = "secret") : world(settings()), transport(world.amazon(), world.clock(), 5), entropy(make_system_entropy()), client(transport, world.clock(), *entropy, {"client", Secret(std::move(secret))}, "https://amazon.sim") {}
  static WorldSettings settings() {
    WorldSettings s;
    s.amazon.events = 0;
    s.amazon.skus = 0;
    s.amazon.client_id = "client";
    s.amazon.client_secret = "secret";
    return s;
  }
  Result<auth::TokenGrant> refresh(const std::string& token) { return world.wait(client.refresh(Secret(token), std::chrono::seconds(9), CancelToken())); }
  void fail(int status, const std::string& code, int times) {
    amzsim::Fault fault;
    fault.path = "/auth";
    fault.status = status;
    fault.code = code;
    fault.times = times;
    fault.kind = "status";
    world.amazon().add_fault(fault);
  }
  World world;
  SimTransport transport;
  std::unique_ptr<Entropy> entropy;
  auth::LwaClient client;
};

}  // namespace

TEST_SUITE_BEGIN("auth");

TEST_CASE("a refresh token gives an access token for an hour") {
  Lwa lwa;
  const auto grant = lwa.refresh("Atzr|sim-seller-1");
  REQUIRE(grant);
  CHECK(grant->access_token.reveal().starts_with("Atza|"));
  CHECK(grant->expires_at - lwa.world.clock().now() == std::chrono::seconds(3600));
}

TEST_CASE("every refusal of the token endpoint is told apart") {
  Lwa lwa;
  CHECK(lwa.refresh("Atzr|revoked").code() == Code::needs_reauth);
  CHECK(lwa.world.wait(lwa.client.exchange_code(Secret(std::string("old")), "https://host.example/callback", std::chrono::seconds(9), CancelToken())).code() == Code::invalid_grant);
  CHECK(lwa.world.wait(lwa.client.grantless("no-such-scope", std::chrono::seconds(9), CancelToken())).code() == Code::request_rejected);
  CHECK(lwa.world.wait(lwa.client.grantless("sellingpartnerapi::notifications", std::chrono::seconds(9), CancelToken())));
  CHECK(Lwa("wrong").refresh("Atzr|sim-seller-1").code() == Code::app_credentials_invalid);
  for (const auto& [status, code, expected] : {std::tuple{400, "unauthorized_client", Code::app_credentials_invalid}, {400, "invalid_request", Code::request_rejected},
                                               {400, "unsupported_grant_type", Code::request_rejected}, {401, "invalid_client", Code::app_credentials_invalid}}) {
    CAPTURE(code);
    lwa.fail(status, code, 1);
    CHECK(lwa.refresh("Atzr|sim-seller-1").code() == expected);
  }
}

TEST_CASE("a page that is none of the token endpoint's own tells of no secret and of no request") {
  for (const int status : {400, 401, 403, 404}) {
    CAPTURE(status);
    Lwa lwa;
    amzsim::Fault page;
    page.path = "/auth/o2/token";
    page.kind = "html";
    page.status = status;
    page.times = 1;
    lwa.world.amazon().add_fault(page);
    CHECK(lwa.refresh("Atzr|sim-seller-1"));   // asked again
    page.times = -1;
    lwa.world.amazon().add_fault(page);
    CHECK(lwa.refresh("Atzr|sim-seller-1").code() == Code::amazon_unavailable);
  }
}

TEST_CASE("passing trouble is waited out, lasting trouble is told in time") {
  Lwa lwa;
  lwa.fail(503, "server_error", 2);
  CHECK(lwa.refresh("Atzr|sim-seller-1"));
  lwa.fail(429, "slow_down", 1);
  CHECK(lwa.refresh("Atzr|sim-seller-1"));
  lwa.fail(500, "ServerError", -1);
  const Steady start = lwa.world.clock().steady();
  CHECK(lwa.refresh("Atzr|sim-seller-1").code() == Code::amazon_unavailable);
  CHECK(lwa.world.clock().steady() - start < std::chrono::seconds(10));   // a last try may begin just before the ninth second is over
  lwa.world.amazon().clear_faults();
  amzsim::Fault silence;
  silence.path = "/auth";
  silence.kind = "hang";
  lwa.world.amazon().add_fault(silence);
  const Steady again = lwa.world.clock().steady();
  CHECK(lwa.refresh("Atzr|sim-seller-1").code() == Code::amazon_unavailable);
  CHECK(lwa.world.clock().steady() - again <= std::chrono::seconds(9));
}

TEST_CASE("a code that brings no refresh token connects nobody") {
  Lwa lwa;
  amzsim::Fault without;
  without.path = "/auth";
  without.kind = "omit";
  without.member = "refresh_token";
  without.times = -1;
  lwa.world.amazon().add_fault(without);
  amzsim::SimRequest consent;
  consent.path = "/apps/authorize/consent";
  consent.query = {{"application_id", "app"}, {"state", "s"}, {"redirect_uri", "https://host.example/callback"}, {"sim_seller", "1"}};
  amzsync::net::HttpRequest back;
  for (const auto& [name, value] : lwa.world.amazon().handle(consent).headers)
    if (name == "Location") back.url = value;
  const Secret code(to_sim(back).param("spapi_oauth_code"));
  REQUIRE(!code.empty());
  CHECK(lwa.world.wait(lwa.client.exchange_code(code, "https://host.example/callback", std::chrono::seconds(9), CancelToken())).code() == Code::invalid_grant);
}

TEST_CASE("an answer that is not the endpoint's is no token") {
  Lwa lwa;
  amzsim::Fault html;
  html.path = "/auth";
  html.kind = "html";
  html.status = 200;
  html.times = -1;
  lwa.world.amazon().add_fault(html);
  CHECK(lwa.refresh("Atzr|sim-seller-1").code() == Code::amazon_unavailable);
}

TEST_SUITE_END();
