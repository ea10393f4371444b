// SPDX-License-Identifier: Apache-2.0
// A place of the host's for refresh tokens, in place of the database: a vault that it has anyway.
#pragma once

#include <string>

#include "base/async.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace amzsync::auth {
using namespace base;

/// A seam: tokens under names, each of which is used once. Loop thread.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  /// `user` is for the host's own order; the name alone tells tokens apart. Errors: store_unavailable.
  virtual Async<Status> put(UserId user, std::string name, Secret token) = 0;
  /// Errors: not_found, store_unavailable.
  virtual Async<Result<Secret>> get(std::string name) = 0;
  /// Removing what is not there is no error. Errors: store_unavailable.
  virtual Async<Status> remove(std::string name) = 0;
};

}  // namespace amzsync::auth
