// SPDX-License-Identifier: Apache-2.0
// Login with Amazon's token endpoint: POST /auth/o2/token, form in, flat JSON out (facts: SP-API "Connect to the Selling
// Partner API", LWA "Authorization Code Grant").
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "base/secret.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"

namespace amzsync::auth {
using namespace base;

/// The application as Amazon knows it. One engine serves one application.
struct AppCredentials {
  std::string client_id;
  Secret client_secret;
};

struct TokenGrant {
  Secret access_token;
  Secret refresh_token;     ///< empty when the answer holds none; a refresh often does not repeat it
  Instant obtained_at{};
  Instant expires_at{};
};

class LwaClient {
 public:
  LwaClient(net::HttpTransport& transport, Clock& clock, Entropy& entropy, AppCredentials app, std::string endpoint)
      : transport_(transport), clock_(clock), entropy_(entropy), app_(std::move(app)), endpoint_(std::move(endpoint)) {}

  /// Grant `authorization_code`. Errors: invalid_grant, app_credentials_invalid, amazon_unavailable, request_rejected, cancelled.
  Async<Result<TokenGrant>> exchange_code(Secret code, std::string redirect_uri, Duration within, CancelToken cancel);
  /// Grant `refresh_token`. Errors: needs_reauth (Amazon says invalid_grant), else as above.
  Async<Result<TokenGrant>> refresh(Secret refresh_token, Duration within, CancelToken cancel);
  /// Grant `client_credentials`, for the operations that belong to no seller.
  Async<Result<TokenGrant>> grantless(std::string scope, Duration within, CancelToken cancel);

  const std::string& client_id() const noexcept { return app_.client_id; }
  /// From now on. While Amazon refuses a secret it is not asked with it again for a while, for any seller: the fault is the application's.
  void set_secret(Secret secret);
  /// Tells secrets apart and shows none.
  Hash128 secret_fingerprint() const;

 private:
  /// Tries again for as long as `within` lasts; one try may take `each`.
  Async<Result<TokenGrant>> ask(std::string form, Duration within, Duration each, bool once, CancelToken cancel);

  net::HttpTransport& transport_;
  Clock& clock_;
  Entropy& entropy_;
  AppCredentials app_;
  int secrets_ = 0;                // taken so far; what is said of an older one says nothing of this one
  std::optional<Error> refused_;   // what Amazon said of the secret, until:
  Steady refused_until_{};
  std::string endpoint_;
};

}  // namespace amzsync::auth
