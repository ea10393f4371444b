// SPDX-License-Identifier: Apache-2.0
#include "http_host/users.hpp"

#include <jwt.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <memory>

namespace host {
namespace {

constexpr std::size_t kMaxToken = 8'192;
constexpr std::string_view kCookie = "session_token";

std::string cookie(const httpd::Request& request, std::string_view wanted) {
  std::string_view rest;
  const std::string header = request.header("Cookie");
  rest = header;
  while (!rest.empty()) {
    const std::size_t end = rest.find(';');
    std::string_view part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos && part.substr(0, equals) == wanted) return std::string(part.substr(equals + 1));
  }
  return {};
}

/// Seconds, which may have a fraction (RFC 7519, NumericDate).
std::optional<double> numeric_date(jwt_t* jwt, const char* claim) {
  const std::unique_ptr<char, void (*)(void*)> text(jwt_get_grants_json(jwt, claim), &std::free);
  if (!text) return std::nullopt;
  double seconds = 0;
  const char* end = text.get() + std::char_traits<char>::length(text.get());
  const auto [read, wrong] = std::from_chars(text.get(), end, seconds);
  return wrong == std::errc() && read == end ? std::optional(seconds) : std::nullopt;
}

}  // namespace

std::optional<std::string> Users::subject_of(const std::string& token) const {
  if (token.empty() || token.size() > kMaxToken || token.find('\0') != std::string::npos || jwt_secret_.empty()) return std::nullopt;
  jwt_t* raw = nullptr;
  const int failed = jwt_decode(&raw, token.c_str(), reinterpret_cast<const unsigned char*>(jwt_secret_.data()), static_cast<int>(jwt_secret_.size()));
  const std::unique_ptr<jwt_t, void (*)(jwt_t*)> jwt(raw, &jwt_free);
  // The algorithm is ours to choose, never the token's. What a token calls critical and is not understood makes it invalid (RFC 7515, 4.1.11).
  if (failed != 0 || !jwt || jwt_get_alg(jwt.get()) != JWT_ALG_HS256) return std::nullopt;
  const char* algorithm = jwt_get_header(jwt.get(), "alg");
  const std::unique_ptr<char, void (*)(void*)> critical(jwt_get_headers_json(jwt.get(), "crit"), &std::free);
  if (!algorithm || std::string_view(algorithm) != "HS256" || critical) return std::nullopt;
  const char* subject = jwt_get_grant(jwt.get(), "sub");
  const auto expires = numeric_date(jwt.get(), "exp"), begins = numeric_date(jwt.get(), "nbf");
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  constexpr double kClocksApart = 60;
  if (!subject || !*subject || !expires || *expires <= now || begins.value_or(now) > now + kClocksApart) return std::nullopt;
  return std::string(subject);
}

std::optional<Identity> Users::identify(const httpd::Request& request) const {
  constexpr std::string_view kBearer = "bearer ";   // a scheme has no case (RFC 9110, 11.1)
  if (const std::string header = request.header("Authorization"); !header.empty()) {
    if (header.size() <= kBearer.size() || !std::equal(kBearer.begin(), kBearer.end(), header.begin(), [](char wanted, char c) { return std::tolower(static_cast<unsigned char>(c)) == wanted; })) return std::nullopt;
    const auto subject = subject_of(header.substr(kBearer.size()));
    return subject ? std::optional(Identity{*subject, false, false, false}) : std::nullopt;
  }
  if (const std::string token = cookie(request, kCookie); !token.empty()) {
    const auto subject = subject_of(token);
    if (subject) return Identity{*subject, true, false, false};
    if (!demo_) return std::nullopt;
  }
  if (!demo_) return std::nullopt;
  const std::string named = request.param("userId");
  return named.empty() ? Identity{"demo-user", false, true, true} : Identity{named, false, false, true};
}

std::string origin_of(const std::string& url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string::npos) return {};
  std::string scheme = url.substr(0, colon);
  std::string authority = url.substr(colon + 3);
  authority = authority.substr(0, authority.find_first_of("/?#\\"));
  for (std::string* part : {&scheme, &authority})
    for (char& c : *part) {
      if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7F) return {};
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  if ((scheme != "http" && scheme != "https") || authority.empty() || authority.find('@') != std::string::npos) return {};
  if (authority.front() != '[' && std::count(authority.begin(), authority.end(), ':') > 1) return {};   // one port, at most
  const std::string_view usual = scheme == "http" ? ":80" : ":443";
  if (authority.ends_with(usual)) authority.resize(authority.size() - usual.size());
  return scheme + "://" + authority;
}

bool Frontends::parse(const std::string& text) {
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = std::min(text.find(',', from), text.size());
    std::string one = text.substr(from, end - from);
    from = end + 1;
    while (!one.empty() && one.front() == ' ') one.erase(0, 1);
    while (!one.empty() && (one.back() == ' ' || one.back() == '/')) one.pop_back();
    if (one.empty()) continue;
    const std::string origin = origin_of(one);
    if (origin.empty() || one.find('*') != std::string::npos || one.find('/', one.find("://") + 3) != std::string::npos) return false;
    origins_.push_back(origin);
  }
  return true;
}

bool Frontends::allowed(const std::string& origin) const { return std::find(origins_.begin(), origins_.end(), origin) != origins_.end(); }

}  // namespace host
