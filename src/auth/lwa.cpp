// SPDX-License-Identifier: Apache-2.0
#include "auth/lwa.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "base/json.hpp"

namespace amzsync::auth {
namespace {

constexpr Duration kRefusedFor = std::chrono::seconds(2);   // so that ten thousand syncs ask once
constexpr Duration kOneTry = std::chrono::seconds(10);   // an answer that is later than that is lost, and the next try finds it quicker

std::string form_field(std::string_view name, std::string_view value) { return std::string(name) + '=' + percent_encode(value); }

/// What the endpoint's error names mean. They are OAuth's, flat in the body: {"error_description": …, "error": …}.
Error token_error(const net::HttpResponse& response) {
  std::string name;
  const auto body = JsonDocument::parse(response.body);
  if (body) name = std::string((*body)["error"].text());
  Code code = Code::request_rejected;
  // An endpoint that is in trouble says nothing about a token, whatever its answer names. A page of whatever stands before it says nothing either.
  if (response.status == 429 || response.status >= 500 || !body) {
    code = Code::amazon_unavailable;
  } else if (name == "invalid_grant") {
    code = Code::invalid_grant;
  } else if (name == "invalid_client" || name == "unauthorized_client" || response.status == 401) {
    code = Code::app_credentials_invalid;
  } else if (name == "server_error" || name == "ServerError") {
    code = Code::amazon_unavailable;
  } else if (response.status == 403) {
    code = Code::app_credentials_invalid;
  }
  Error error(code);
  error.http_status = response.status;
  error.api_code = clean_utf8(name, 80);
  error.request_id = clean_utf8(response.header("x-amzn-RequestId"), 80);
  return error;
}

Result<TokenGrant> read_grant(const net::HttpResponse& response, Instant now) {
  const auto unreadable = [&] {
    Error error(Code::amazon_unavailable, "Amazon's token endpoint gave an answer that could not be read.");
    error.http_status = response.status;
    return error;
  };
  const auto body = JsonDocument::parse(response.body);
  if (!body) return unreadable();
  const std::string_view access = (*body)["access_token"].text();
  if (access.empty()) return unreadable();
  TokenGrant grant;
  grant.access_token = Secret(std::string(access));
  grant.refresh_token = Secret(std::string((*body)["refresh_token"].text()));
  grant.obtained_at = now;
  constexpr std::int64_t kUsualLife = 3600;
  const std::int64_t life = (*body)["expires_in"].integer().value_or(kUsualLife);
  grant.expires_at = now + std::chrono::seconds(life > 0 && life <= 24 * kUsualLife ? life : kUsualLife);
  return grant;
}

}  // namespace

void LwaClient::set_secret(Secret secret) {
  app_.client_secret = std::move(secret);
  refused_.reset();
  ++secrets_;
}

Hash128 LwaClient::secret_fingerprint() const {
  const Sha256 hash = sha256("amzsync client secret/" + std::string(app_.client_secret.reveal()));
  return Hash128::of(std::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

Async<Result<TokenGrant>> LwaClient::ask(std::string form, Duration within, Duration each, bool once, CancelToken cancel) {
  if (refused_ && clock_.steady() < refused_until_) co_return *refused_;
  const Secret grant_form(std::move(form));
  const Steady deadline = clock_.steady() + within;
  const net::Backoff backoff{std::chrono::milliseconds(250), std::chrono::seconds(2)};
  std::string cause;   // the last that was told; the last try of all may just have had too little time

  for (int attempt = 0;; ++attempt) {
    const int secret = secrets_;   // a new one may be set between two attempts, and while one is under way
    const Secret body(std::string(grant_form.reveal()) + '&' + form_field("client_id", app_.client_id) + '&' + form_field("client_secret", app_.client_secret.reveal()));
    net::HttpRequest request;
    request.method = net::Method::post;
    request.url = endpoint_ + "/auth/o2/token";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"}, {"Accept", "application/json"}};
    request.body = std::string(body.reveal());
    request.timeout = std::min<Duration>(each, deadline - clock_.steady());
    request.max_body = 64U << 10;
    request.once = once;
    auto answer = co_await transport_.send(std::move(request), cancel);
    if (cancel.cancelled()) co_return Code::cancelled;

    Error failure(Code::amazon_unavailable);
    if (answer) {
      if (net::classify(answer->status) == net::Outcome::success) {
        auto grant = read_grant(*answer, clock_.now());
        wipe(answer->body);
        co_return grant;
      }
      failure = token_error(*answer);
      if (failure.api_code == "invalid_client" && secret == secrets_) {
        refused_ = failure;
        refused_until_ = clock_.steady() + kRefusedFor;
      }
      if (failure.code == Code::app_credentials_invalid && secret != secrets_) continue;
      if (failure.code != Code::amazon_unavailable) co_return failure;
    } else if (net::classify(answer.error()) != net::Outcome::transient) {
      co_return answer.error();
    } else {
      if (answer.code() == Code::network_error) cause = answer.error().message;
      if (!cause.empty()) failure.message = "Amazon did not answer. " + cause + " Please try again in a few minutes.";
    }
    const Duration pause = backoff.wait(attempt, entropy_);
    if (clock_.steady() + pause >= deadline) co_return failure;
    co_await clock_.sleep_for(pause, cancel);
    if (cancel.cancelled()) co_return Code::cancelled;
  }
}

Async<Result<TokenGrant>> LwaClient::exchange_code(Secret code, std::string redirect_uri, Duration within, CancelToken cancel) {
  std::string form = "grant_type=authorization_code&" + form_field("code", code.reveal()) + '&' + form_field("redirect_uri", redirect_uri);
  // A code serves once: while an answer may still come, asking again could only be refused.
  auto grant = co_await ask(std::move(form), within, within, true, cancel);
  if (grant && grant->refresh_token.empty()) {
    // The code is used up, so only a new consent can bring a token.
    co_return Error(Code::invalid_grant, "Amazon's answer to the authorisation code holds no refresh token. Please start again.");
  }
  co_return grant;
}

Async<Result<TokenGrant>> LwaClient::refresh(Secret refresh_token, Duration within, CancelToken cancel) {
  std::string form = "grant_type=refresh_token&" + form_field("refresh_token", refresh_token.reveal());
  auto grant = co_await ask(std::move(form), within, kOneTry, false, cancel);
  if (!grant && grant.code() == Code::invalid_grant) {
    Error revoked(Code::needs_reauth);
    revoked.http_status = grant.error().http_status;
    revoked.api_code = grant.error().api_code;
    revoked.request_id = grant.error().request_id;
    co_return revoked;
  }
  co_return grant;
}

Async<Result<TokenGrant>> LwaClient::grantless(std::string scope, Duration within, CancelToken cancel) {
  std::string form = "grant_type=client_credentials&" + form_field("scope", scope);
  auto grant = co_await ask(std::move(form), within, kOneTry, false, cancel);
  co_return grant;
}

}  // namespace amzsync::auth
