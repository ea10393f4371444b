// SPDX-License-Identifier: Apache-2.0
// What a stranger can send to the example host before it knows who that is: targets, tokens, origins.
#include <openssl/hmac.h>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "fuzz/targets.hpp"
#include "http_host/users.hpp"
#include "httpd/httpd.hpp"

namespace fuzz {
namespace {

using namespace amzsync::base;   // NOLINT: vocabulary

const std::string kSecret = "a secret of thirty-two characters";

std::string base64url(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string signed_by(const std::string& secret, const std::string& head_and_body) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(head_and_body.data()), head_and_body.size(), mac, &size);
  return base64url({reinterpret_cast<const char*>(mac), size});
}

std::string token(const std::string& head, const std::string& body, const std::string& secret = kSecret) {
  const std::string both = base64url(head) + "." + base64url(body);
  return both + "." + signed_by(secret, both);
}

/// Nobody is anybody without our signature over just these bytes.
std::string feed_token(const Target&, std::string_view bytes) {
  static const host::Users users(kSecret, false);
  const std::string given(bytes);
  for (const bool cookie : {false, true}) {
    httpd::Request request;
    request.headers.push_back(cookie ? httpd::Header{"Cookie", "a=b; session_token=" + given} : httpd::Header{"Authorization", "Bearer " + given});
    const auto who = users.identify(request);
    if (!who) continue;
    const std::string used = cookie ? given.substr(0, given.find(';')) : given;
    const std::size_t dot = used.rfind('.');
    if (dot == std::string::npos || used.substr(dot + 1) != signed_by(kSecret, used.substr(0, dot))) return "a token is taken that we did not sign, for " + who->user;
  }
  return "";
}

std::vector<std::string> tokens(const Target&) {
  const std::string body = R"({"sub":"user-1","exp":4102444800})";
  return {token(R"({"alg":"HS256","typ":"JWT"})", body), token(R"({"alg":"none"})", body), base64url(R"({"alg":"none"})") + "." + base64url(body) + ".", token(R"({"alg":"RS256"})", body),
          token(R"({"alg":"HS256"})", R"({"sub":"user-1","exp":1})"), token(R"({"alg":"HS256"})", R"({"sub":7,"exp":"x"})"), token(R"({"alg":"HS512"})", body), token(R"({"alg":"HS256"})", body, "another secret")};
}

std::string feed_target(const Target&, std::string_view bytes) {
  httpd::Request request;
  request.target = std::string(bytes);
  if (!httpd::split_target(request)) return "";
  if (request.path.empty() || request.path.front() != '/') return "a path that is none: " + request.path;
  (void)httpd::parse_listen(bytes);
  return "";
}

std::vector<std::string> target_seeds(const Target&) {
  return {"/api/v1/integrations/amazon/auth/callback?spapi_oauth_code=AN%2Fx&state=s&selling_partner_id=A1", "/api/sync/status/sync_1", "/%2e%2e/%00?a=%zz&b&=c&d=%F0%9F", "127.0.0.1:8090", "[::1]:80", "/?a=1&a=2#x"};
}

/// A browser is sent to nobody but those who were named.
std::string feed_front(const Target&, std::string_view bytes) {
  static const host::Frontends fronts = [] {
    host::Frontends f;
    if (!f.parse("https://app.example,http://localhost:3000")) std::abort();
    return f;
  }();
  const std::string url(bytes);
  if (!fronts.allowed(host::origin_of(url))) return "";
  std::string low = url;
  for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string allowed : {"https://app.example", "https://app.example:443", "http://localhost:3000"})
    if (low == allowed || (low.starts_with(allowed) && std::string_view("/?#\\").find(low[allowed.size()]) != std::string_view::npos)) return "";
  return "a browser would be sent to " + url;
}

std::vector<std::string> fronts(const Target&) {
  return {"https://app.example/dashboard", "https://APP.example:443/", "http://localhost:3000", "https://app.example@evil.example/", "https://app.example.evil.example", "https://app.example\\@evil.example", "javascript:alert(1)", "//app.example"};
}

}  // namespace

std::vector<Target> http_targets() { return {{"jwt", &feed_token, &tokens}, {"target", &feed_target, &target_seeds}, {"front", &feed_front, &fronts}}; }

}  // namespace fuzz
