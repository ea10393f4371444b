// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/address.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <initializer_list>
#include <memory>

namespace amzsync::store {
namespace {

/// Takes a parameter out of a URL, where it has it with one of these values, or with any.
std::optional<std::string> take_parameter(std::string& url, std::string_view name, std::initializer_list<std::string_view> wanted = {}) {
  for (const char before : {'?', '&'}) {
    const std::string sign = before + std::string(name) + '=';
    const std::size_t at = url.find(sign);
    if (at == std::string::npos) continue;
    const std::size_t end = std::min(url.find('&', at + 1), url.size());
    std::string value = url.substr(at + sign.size(), end - at - sign.size());
    if (wanted.size() > 0 && std::find(wanted.begin(), wanted.end(), value) == wanted.end()) continue;
    // What follows takes the place of it.
    url.erase(end < url.size() ? at + 1 : at, end - at);
    return value;
  }
  return std::nullopt;
}

}  // namespace

PostgresAddress PostgresAddress::parse(std::string_view url) {
  PostgresAddress address;
  address.url = url;
  (void)take_parameter(address.url, "pgbouncer", {"false", "0", "no"});
  if (take_parameter(address.url, "pgbouncer", {"true", "1", "yes"})) address.is_pooled = true;
  if (auto hosts = take_parameter(address.url, "replica")) address.replica_hosts = std::move(*hosts);
  return address;
}

std::optional<PostgresAddress> PostgresAddress::replica() const {
  if (replica_hosts.empty()) return std::nullopt;
  PostgresAddress there;
  there.url = url;
  there.is_pooled = is_pooled;
  std::string_view rest = replica_hosts;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    // The colons of an address in brackets are its own.
    const std::size_t colon = one.find(':', one.starts_with('[') ? std::min(one.find(']'), one.size()) : 0);
    std::string_view host = one.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (!there.hosts.empty()) {
      there.hosts += ',';
      there.ports += ',';
    }
    there.hosts += host;
    there.ports += colon == std::string_view::npos ? "5432" : one.substr(colon + 1);
  }
  return there;
}

Status PostgresAddress::check() const {
  char* wrong = nullptr;
  PQconninfoOption* const parts = PQconninfoParse(url.c_str(), &wrong);
  const std::unique_ptr<char, decltype([](char* text) { PQfreemem(text); })> owned(wrong);
  const std::unique_ptr<PQconninfoOption, decltype([](PQconninfoOption* all) { PQconninfoFree(all); })> owned_parts(parts);
  if (!parts && !wrong) return Code::no_memory;
  if (url.find("pgbouncer=") != std::string::npos) return Error(Code::setting_invalid, "In the store's URL pgbouncer must be true or false, once.");
  // What it quotes may be of the password, and so may what it takes for a host or a port.
  std::string_view why(wrong ? wrong : "");
  why = why.substr(0, why.find('"'));
  for (const PQconninfoOption* part = parts; part && part->keyword; ++part) {
    const std::string_view name(part->keyword), value(part->val ? part->val : "");
    if (name == "host" && value.find('@') != std::string_view::npos) why = "a host can't hold @";
    if (name == "port" && value.find_first_not_of("0123456789,") != std::string_view::npos) why = "a port is no number";
  }
  if (parts && why.empty()) return Done{};
  while (why.ends_with(' ') || why.ends_with(':') || why.ends_with('\n')) why.remove_suffix(1);
  return Error(Code::setting_invalid, "The store's URL can't be read (" + std::string(why) + "). In a name or a password all but letters and digits are to be written as %XX.");
}

}  // namespace amzsync::store
