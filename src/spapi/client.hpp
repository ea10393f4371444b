// SPDX-License-Identifier: Apache-2.0
// The one door to Amazon's API. Every call goes through the throttle, carries the connection's own token, is repeated where
// that helps and ends in JSON that was read whole, or in one Error that says what Amazon said.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/tokens.hpp"
#include "base/json.hpp"
#include "base/tally.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"
#include "spapi/meter.hpp"
#include "spapi/operations.hpp"
#include "spapi/throttle.hpp"

namespace amzsync::spapi {

struct ClientSettings {
  std::string endpoint;        ///< base URL
  std::string region;
  std::string user_agent;      ///< required by Amazon, at most 500 characters
  bool sandbox = false;        ///< other usage plans
};

/// Whose calls these are, and what they may cost. One per stream of a run.
struct Caller {
  UserNo user;
  std::string account;         ///< bucket owner: the seller, else the connection
  CancelToken cancel;
  net::RetryBudget* budget = nullptr;
  WaitListener on_wait;
  Meter* meter = nullptr;      ///< of the run, if they are one's
  std::int64_t calls = 0;      ///< sent so far, repeats included
  std::int64_t throttled = 0;  ///< answered with 429
};

struct Request {
  const Operation* operation = nullptr;
  std::string path;
  std::vector<net::QueryParam> query;
  net::Method method = net::Method::get;
  std::string body;            ///< JSON
  /// False: asking twice could do it twice, so a lost answer is told and not asked for again.
  bool repeatable = true;
  int tries = 5;               ///< in all, when Amazon has a passing trouble
  bool has_page_token = false; ///< a rejected one is told apart: the walk starts again
};

class Client {
 public:
  Client(net::HttpTransport& transport, auth::Tokens& tokens, Throttle& throttle, Clock& clock, Entropy& entropy, Executor work, Tally& tally, std::string app_id, ClientSettings settings)
      : transport_(transport), tokens_(tokens), throttle_(throttle), clock_(clock), entropy_(entropy), work_(std::move(work)), tally_(tally), app_id_(std::move(app_id)),
        settings_(std::move(settings)) {}

  /// One call. Errors: unauthorised, throttled, amazon_error, network_error, timeout, bad_answer, answer_too_large,
  /// request_rejected, page_token_expired, cancelled, and those of the token (needs_reauth, app_credentials_invalid, …).
  Async<Result<JsonDocument>> call(Caller& caller, Request request);

  /// A report's document, from the address that Amazon gave: no token goes there. Its bytes go to `into`; the answer holds the
  /// headers. Errors: request_rejected (the address has lapsed, or is none that may be asked), network_error, timeout, cancelled, amazon_error.
  Async<Result<net::HttpResponse>> fetch_document(std::string url, std::shared_ptr<net::BodyStream> into, CancelToken cancel);

  /// In how long Amazon's plan lets the last of so many calls for this account through, as far as is known now.
  Duration time_for(const std::string& account, const Operation& operation, std::int64_t calls) const;

  /// Whether anybody answers at the endpoint, whatever it says to a call without a token; the time that it tells. Errors: network_error, timeout, cancelled.
  Async<Result<std::optional<Instant>>> reach(CancelToken cancel);

 private:
  /// One of those that were denied an operation tries again; the others go by what becomes of it, since the plan may give one call a minute.
  struct Denial {
    Gate one{1};
    std::optional<Steady> again;   // when a second try was denied too
  };
  std::shared_ptr<Denial> denial_of(const BucketKey& bucket);
  net::HttpRequest build(const Request& request, const auth::AccessToken& token) const;
  Operation plan_of(const Operation& operation) const;
  BucketKey bucket_of(const std::string& account, const Operation& operation) const;
  void count(std::string_view operation, const Result<net::HttpResponse>& answer, Duration waited, Duration took);

  net::HttpTransport& transport_;
  auth::Tokens& tokens_;
  Throttle& throttle_;
  Clock& clock_;
  Entropy& entropy_;
  Executor work_;
  Tally& tally_;
  std::string app_id_;
  ClientSettings settings_;
  std::map<BucketKey, std::shared_ptr<Denial>> denials_;
};

/// The token of the next page; empty where there is none. bad_answer when what stands there is no text: a walk that ended at it would
/// take all that was still to come for gone.
Result<std::string> page_token_of(Json value);

/// `Name/Version (Language=C++/20; Platform=Linux/x86_64)`, escaped as Amazon asks; setting_invalid when over 500 characters.
Result<std::string> make_user_agent(std::string_view app_name, std::string_view app_version);

}  // namespace amzsync::spapi
