// SPDX-License-Identifier: Apache-2.0
#include "net/http.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>

#include "base/crypto.hpp"
#include "net/public_address.hpp"

namespace amzsync::net {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_loopback_host(std::string_view host) noexcept {
  if (same_word(host, "localhost") || host == "[::1]") return true;
  if (!host.starts_with("127.")) return false;
  return host.find_first_not_of("0123456789.") == std::string_view::npos && std::count(host.begin(), host.end(), '.') == 3;
}

struct UrlParts {
  std::string_view scheme, host, port;
};

/// nullopt for anything without scheme and host, with user information, or with characters that no URL holds.
std::optional<UrlParts> split(std::string_view url) noexcept {
  for (const char c : url)
    if (static_cast<unsigned char>(c) <= ' ' || c == '\\' || c == 0x7F) return std::nullopt;
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view authority = url.substr(colon + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (authority.empty() || authority.find('@') != std::string_view::npos) return std::nullopt;
  UrlParts parts{url.substr(0, colon), authority, {}};
  const std::size_t bracket = authority.rfind(']');
  const std::size_t port = authority.rfind(':');
  if (port != std::string_view::npos && (bracket == std::string_view::npos || port > bracket)) {
    parts.host = authority.substr(0, port);
    parts.port = authority.substr(port + 1);
    if (parts.port.empty() || parts.port.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  }
  if (parts.host.empty()) return std::nullopt;
  return parts;
}

}  // namespace

std::string_view method_name(Method method) noexcept {
  switch (method) {
    case Method::get: return "GET";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::del: break;
  }
  return "DELETE";
}

std::string_view HttpResponse::header(std::string_view name) const noexcept {
  for (const Header& h : headers)
    if (same_word(h.name, name)) return h.value;
  return {};
}

bool is_safe_url(std::string_view url) noexcept {
  const auto parts = split(url);
  if (!parts) return false;
  return same_word(parts->scheme, "https") || (same_word(parts->scheme, "http") && is_loopback_host(parts->host));
}

bool is_loopback_url(std::string_view url) noexcept {
  const auto parts = split(url);
  return parts && is_loopback_host(parts->host);
}

bool may_be_public(std::string_view url) noexcept {
  const auto parts = split(url);
  if (!parts) return false;
  std::string host(parts->host);
  if (host.starts_with('[')) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    const std::string inside = host.substr(1, host.size() - 2);
    return ::inet_pton(AF_INET6, inside.c_str(), &v6.sin6_addr) == 1 && is_public_address(reinterpret_cast<const sockaddr*>(&v6));
  }
  // Whatever way a number of the older kind is written in: names of hosts do not end in a number.
  while (host.ends_with('.')) host.pop_back();
  const std::size_t dot = host.rfind('.');
  if (dot == std::string::npos) return false;
  const std::string_view last = std::string_view(host).substr(dot + 1);
  if (last[0] < '0' || last[0] > '9') return !same_word(last, "internal") && !same_word(last, "local") && !same_word(last, "localhost");
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  return ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1 && is_public_address(reinterpret_cast<const sockaddr*>(&v4));
}

std::string origin_of(std::string_view url) {
  const auto parts = split(url);
  if (!parts) return {};
  std::string origin = std::string(parts->scheme) + "://" + std::string(parts->host);
  std::transform(origin.begin(), origin.end(), origin.begin(), lower);
  const bool usual = (origin.starts_with("https:") && parts->port == "443") || (origin.starts_with("http:") && parts->port == "80");
  if (!parts->port.empty() && !usual) origin += ':' + std::string(parts->port);
  return origin;
}

std::optional<Instant> parse_http_date(std::string_view text) {
  const std::time_t seconds = ::curl_getdate(std::string(text).c_str(), nullptr);
  if (text.empty() || seconds < 0) return std::nullopt;
  return std::chrono::floor<Duration>(std::chrono::system_clock::from_time_t(seconds));
}

std::string query_string(const std::vector<QueryParam>& params) {
  std::string text;
  for (const QueryParam& p : params) {
    text += text.empty() ? '?' : '&';
    text += percent_encode(p.name) + '=' + percent_encode(p.value);
  }
  return text;
}

}  // namespace amzsync::net
