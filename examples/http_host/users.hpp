// SPDX-License-Identifier: Apache-2.0
// Who is the user: a bearer token, or the session cookie, or (in demo mode only) a query parameter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "httpd/httpd.hpp"

namespace host {

struct Identity {
  std::string user;
  bool by_cookie = false;   ///< then the browser sent it by itself, and effects need a check of the origin
  bool assumed = false;     ///< nobody said so: the demo's default user
  bool unproved = false;    ///< nor showed a token: in a demo
};

class Users {
 public:
  Users(std::string jwt_secret, bool demo) : jwt_secret_(std::move(jwt_secret)), demo_(demo) {}
  /// nullopt: nobody, or somebody whose token does not hold.
  std::optional<Identity> identify(const httpd::Request& request) const;

 private:
  std::optional<std::string> subject_of(const std::string& token) const;
  std::string jwt_secret_;
  bool demo_;
};

/// The front ends that a browser may be sent to, and whose pages may call us. Compared as whole origins.
class Frontends {
 public:
  /// Origins with commas between. False when one of them is no origin.
  bool parse(const std::string& text);
  bool allowed(const std::string& origin) const;
  const std::string& first() const { return origins_.front(); }
  bool empty() const { return origins_.empty(); }
  /// Allowed too, after those of the settings.
  void add(std::string origin) { origins_.push_back(std::move(origin)); }

 private:
  std::vector<std::string> origins_;
};

/// scheme://host[:port] of a URL, lower case; "" when it is no http(s) URL.
std::string origin_of(const std::string& url);

}  // namespace host
