// SPDX-License-Identifier: Apache-2.0
#include "spapi/client.hpp"

#include <algorithm>
#include <charconv>

#include "base/crypto.hpp"

namespace amzsync::spapi {
namespace {

constexpr int kThrottledTries = 8;
constexpr int kUnreadableTries = 3;
constexpr int kTemplateErrorTries = 3;
constexpr net::Backoff kTransientBackoff{std::chrono::seconds(1), std::chrono::seconds(60)};
constexpr Duration kThrottledCap = std::chrono::seconds(60);
constexpr Duration kSlowOperationCap = std::chrono::minutes(10);
constexpr Duration kNoticeable = std::chrono::seconds(2);
constexpr Duration kCoolOff = std::chrono::minutes(15);   // after which a call is worth trying again
constexpr Duration kDeniedAgainAfter = std::chrono::seconds(2);
constexpr Duration kStaysDenied = std::chrono::minutes(1);
constexpr std::size_t kMaxMessage = 300;

bool contains_word(std::string_view text, std::string_view word) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), [&](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

/// The parts of Amazon's error body that matter; all empty when it is HTML, empty or anything else.
struct ApiError {
  std::string code, message, details;

  static ApiError read(std::string_view body) {
    const auto document = JsonDocument::parse(body);
    return document ? of(*document) : ApiError();
  }
  static ApiError of(const JsonDocument& document) {
    ApiError e;
    for (const Json item : document["errors"]) {
      e.code = clean_utf8(item["code"].text(), 80);
      e.message = clean_utf8(item["message"].text(), kMaxMessage);
      e.details = clean_utf8(item["details"].text(), kMaxMessage);
      break;
    }
    return e;
  }
  bool says(std::string_view word) const { return contains_word(message, word) || contains_word(details, word); }
};

Error describe(Code code, const net::HttpResponse& response, const ApiError& api) {
  Error error(code);
  error.http_status = response.status;
  error.api_code = api.code;
  error.request_id = clean_utf8(response.header("x-amzn-RequestId"), 80);
  if (code == Code::request_rejected && !api.message.empty()) error.message = "Amazon rejected the request: " + api.message;
  return error;
}

/// Amazon's models let an answer of 200 tell of errors beside what it could give (Finances v0, ListFinancialEventsResponse; Sellers; FBA Inventory; Inbound v0):
/// that is not all there is, so what it leaves out must not be taken for gone.
bool tells_of_errors(const JsonDocument& document) {
  const Json errors = document["errors"];
  return errors.is_string() ? !errors.text().empty() : !errors.empty();
}

}  // namespace

Result<std::string> page_token_of(Json value) {
  if (!value.is_null() && !value.is_string() && !value.is_number()) return Error(Code::bad_answer, "The token of the next page is no text in Amazon's answer.");
  return std::string(value.text());
}

Result<std::string> make_user_agent(std::string_view name, std::string_view version) {
  const auto escape = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '\\' || c == '/' || c == '(') out += '\\';
      out += c;
    }
    return out;
  };
#if defined(__aarch64__)
  constexpr std::string_view kMachine = "aarch64";
#else
  constexpr std::string_view kMachine = "x86_64";
#endif
  std::string agent = escape(name) + '/' + escape(version) + " (Language=C++/20; Platform=Linux/" + std::string(kMachine) + ")";
  constexpr std::size_t kMostCharacters = 500;  // Amazon rejects the call beyond that
  if (name.empty() || version.empty() || agent.size() > kMostCharacters) return Error(Code::setting_invalid, "The application's name and version must make a user agent of 1 to 500 characters.");
  for (const char c : agent)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) return Error(Code::setting_invalid, "The application's name and version must be printable ASCII.");
  return agent;
}

net::HttpRequest Client::build(const Request& request, const auth::AccessToken& token) const {
  net::HttpRequest http;
  http.method = request.method;
  http.url = settings_.endpoint + request.path + net::query_string(request.query);
  http.body = request.body;
  http.timeout = request.operation->timeout;
  http.once = !request.repeatable;
  http.headers = {{"x-amz-access-token", std::string(token.token.reveal())},
                  {"x-amz-date", format_basic(clock_.now())},
                  {"user-agent", settings_.user_agent},
                  {"Accept", "application/json"}};
  if (!request.body.empty()) http.headers.push_back({"content-type", "application/json"});
  return http;
}

void Client::count(std::string_view operation, const Result<net::HttpResponse>& answer, Duration waited, Duration took) {
  tally_.add([&](Tally::Sums& sums) {
    Tally::Calls& calls = sums.calls[std::string(operation)];
    ++calls.made;
    const net::Outcome outcome = answer ? net::classify(answer->status) : net::classify(answer.error());
    calls.throttled += outcome == net::Outcome::throttled;
    calls.failed += outcome != net::Outcome::throttled && outcome != net::Outcome::success;
    calls.took += took;
    calls.waited += waited;
  });
}

Async<Result<std::optional<Instant>>> Client::reach(CancelToken cancel) {
  net::HttpRequest http;
  http.url = settings_.endpoint + "/";
  http.headers = {{"user-agent", settings_.user_agent}};
  http.timeout = std::chrono::seconds(10);
  auto answer = co_await transport_.send(std::move(http), cancel);
  if (!answer) co_return answer.error();
  co_return net::parse_http_date(answer->header("date"));
}

Async<Result<net::HttpResponse>> Client::fetch_document(std::string url, std::shared_ptr<net::BodyStream> into, CancelToken cancel) {
  // Only where the API itself is on this machine (a simulator) may its documents be.
  const bool local = net::is_loopback_url(settings_.endpoint);
  net::HttpRequest http;
  http.url = std::move(url);
  http.timeout = std::chrono::seconds(60);
  http.body_to = into;
  http.public_only = !local;
  if (!local && !http.url.starts_with("https://")) {
    into->close();
    co_return Error(Code::request_rejected, "Amazon gave an address for a document that is not https.");
  }
  auto answer = co_await transport_.send(std::move(http), cancel);
  if (cancel.cancelled()) co_return Code::cancelled;
  if (!answer) co_return answer.error();
  switch (net::classify(answer->status)) {
    case net::Outcome::success: co_return std::move(*answer);
    case net::Outcome::transient:
    case net::Outcome::throttled: {
      Error error(Code::amazon_error);
      error.http_status = answer->status;
      co_return error;
    }
    default: {
      Error error(Code::request_rejected, "Amazon's address for a document no longer holds.");
      error.http_status = answer->status;
      co_return error;
    }
  }
}

Operation Client::plan_of(const Operation& operation) const {
  Operation plan = operation;
  if (settings_.sandbox) {
    plan.rate = kSandboxRate;
    plan.burst = kSandboxBurst;
  }
  return plan;
}

BucketKey Client::bucket_of(const std::string& account, const Operation& operation) const { return {app_id_, account, settings_.region, std::string(operation.name)}; }

Duration Client::time_for(const std::string& account, const Operation& operation, std::int64_t calls) const {
  return throttle_.time_for(bucket_of(account, operation), plan_of(operation), calls);
}

std::shared_ptr<Client::Denial> Client::denial_of(const BucketKey& bucket) {
  std::erase_if(denials_, [&](const auto& known) { return known.second.use_count() == 1 && clock_.steady() - known.second->again.value_or(Steady{}) > kStaysDenied; });
  std::shared_ptr<Denial>& denial = denials_[bucket];
  if (!denial) denial = std::make_shared<Denial>();
  return denial;
}

Async<Result<JsonDocument>> Client::call(Caller& caller, Request request) {
  const Operation operation = plan_of(*request.operation);
  const BucketKey bucket = bucket_of(caller.account, operation);
  int transient = 0, throttled = 0, unreadable = 0, template_errors = 0;
  bool renewed = false;
  std::shared_ptr<Denial> denied;
  Gate::Pass second_try;

  for (;;) {
    auto token = co_await tokens_.access_token(caller.user, caller.cancel);
    if (!token && token.code() == Code::request_rejected) {
      // Of the request for a token: of this one Amazon has said nothing.
      Error none(Code::amazon_unavailable, "Amazon gives no access token. " + token.error().message);
      none.http_status = token.error().http_status;
      none.api_code = token.error().api_code;
      none.request_id = token.error().request_id;
      co_return none;
    }
    if (!token) co_return token.error();
    const Steady asked = clock_.steady();
    auto admitted = co_await throttle_.acquire(bucket, operation, caller.cancel, caller.on_wait);
    if (!admitted) co_return admitted.error();

    ++caller.calls;
    if (caller.meter) caller.meter->call();
    net::HttpRequest http = build(request, *token);
    const Steady sent = clock_.steady();
    auto answer = co_await transport_.send(std::move(http), caller.cancel);
    admitted->ended();
    count(operation.name, answer, sent - asked, clock_.steady() - sent);
    if (caller.meter) caller.meter->work();
    if (caller.cancel.cancelled()) co_return Code::cancelled;

    Error failure;
    Duration pause{};
    bool repeat = false;
    if (!answer) {
      failure = answer.error();
      ++transient;
      repeat = request.repeatable && net::classify(failure) == net::Outcome::transient && transient < request.tries;
      pause = kTransientBackoff.wait(transient - 1, entropy_);
    } else {
      const std::string_view limit = answer->header("x-amzn-RateLimit-Limit");
      double rate = 0;
      if (std::from_chars(limit.data(), limit.data() + limit.size(), rate).ec == std::errc()) throttle_.learn_rate(bucket, rate);

      switch (net::classify(answer->status)) {
        case net::Outcome::success: {
          auto parse = [body = std::move(answer->body)] { return JsonDocument::parse_mending(body); };
          auto document = co_await run_on(work_, std::move(parse));
          if (document && tells_of_errors(*document)) {
            failure = describe(Code::amazon_error, *answer, ApiError::of(*document));
            repeat = request.repeatable && ++transient < request.tries;
            pause = kTransientBackoff.wait(transient - 1, entropy_);
            break;
          }
          if (document && document->root().is_object()) {
            if (caller.budget) caller.budget->reward();
            throttle_.served(bucket);
            co_return std::move(*document);
          }
          failure = document ? Error(Code::bad_answer, "Amazon's answer is not a JSON object.") : document.error();
          failure.http_status = answer->status;
          failure.request_id = clean_utf8(answer->header("x-amzn-RequestId"), 80);
          repeat = request.repeatable && ++unreadable < kUnreadableTries;
          pause = kTransientBackoff.wait(unreadable - 1, entropy_);
          break;
        }
        case net::Outcome::throttled: {
          ++caller.throttled;
          throttle_.drained(bucket);
          failure = describe(Code::throttled, *answer, ApiError::read(answer->body));
          repeat = ++throttled < kThrottledTries;
          const Duration one_call = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1.0 / operation.rate));
          const Duration doubled = std::chrono::seconds(1LL << std::min(throttled, 10));
          pause = std::min(std::max(one_call, doubled), std::max(kThrottledCap, std::min(one_call * 8, kSlowOperationCap)));
          pause += entropy_.below(pause / 4);
          break;
        }
        case net::Outcome::transient:
          failure = describe(Code::amazon_error, *answer, ApiError::read(answer->body));
          repeat = request.repeatable && ++transient < request.tries;
          pause = kTransientBackoff.wait(transient - 1, entropy_);
          break;
        case net::Outcome::denied: {
          const ApiError api = ApiError::read(answer->body);
          if (api.says("secret")) {
            // Tokens made with a secret that has lapsed since are of no use; whether the secret is one tells a new token.
            failure = describe(Code::app_credentials_invalid, *answer, api);
            repeat = !std::exchange(renewed, true);
            tokens_.reject(*token);
            break;
          }
          const bool about_token = api.says("expired") || api.says("revoked") || api.says("malformed");
          if (!about_token && throttle_.was_abused(bucket)) {
            // Amazon shuts out for a while whom it had to answer with many quota errors, and says 403 then: no lost role, no revocation.
            failure = describe(Code::throttled, *answer, api);
            failure.message = "Amazon refuses this operation for a while after quota errors.";
            pause = kCoolOff;
            break;
          }
          const bool is_foreign = about_token && renewed && !api.says("expired");
          failure = describe(is_foreign ? Code::wrong_region : Code::unauthorised, *answer, api);
          if (is_foreign) failure.message = "Amazon does not know this seller's token here, although it is new: the seller may belong to another region than the one that is set.";
          // One chance more: with a new token when this one is said to be at fault, else after a while, because 403 came up
          // as a passing error of Amazon's too.
          if (about_token) {
            repeat = !std::exchange(renewed, true);
            tokens_.reject(*token);
            break;
          }
          repeat = !denied;
          pause = kDeniedAgainAfter;
          if (denied) {
            denied->again = clock_.steady();
          } else {
            denied = denial_of(bucket);
          }
          break;
        }
        case net::Outcome::rejected: {
          const ApiError api = ApiError::read(answer->body);
          if (!answer->body.empty() && !JsonDocument::parse(answer->body)) {
            // A page of somebody's between us and Amazon's API is no word of Amazon's on the request.
            failure = describe(Code::amazon_error, *answer, api);
            repeat = request.repeatable && ++transient < request.tries;
            pause = kTransientBackoff.wait(transient - 1, entropy_);
            break;
          }
          // "Token is not valid, token duration is 3 minutes." and its like, in whatever words: the request was taken as it is, but for its page token.
          failure = describe(request.has_page_token ? Code::page_token_expired : Code::request_rejected, *answer, api);
          // An unfilled template of Amazon's own means nothing about the request.
          repeat = contains_word(api.message, "$errorResponse") && ++template_errors < kTemplateErrorTries;
          pause = kTransientBackoff.wait(template_errors, entropy_);
          break;
        }
      }
    }

    failure.retry_after_ms = std::chrono::duration_cast<std::chrono::milliseconds>(pause).count();
    if (!repeat) co_return failure;
    if (caller.budget && !caller.budget->take()) co_return failure;
    second_try.release();   // it was answered by something else
    const bool noticeable = pause >= kNoticeable && caller.on_wait;
    if (noticeable) caller.on_wait(clock_.now() + pause);
    co_await clock_.sleep_for(pause, caller.cancel);
    if (caller.cancel.cancelled()) co_return Code::cancelled;
    if (noticeable) caller.on_wait(std::nullopt);
    if (denied && !second_try) {
      second_try = co_await denied->one.enter(caller.cancel);
      if (!second_try) co_return Code::cancelled;
      if (denied->again && *denied->again > asked) co_return failure;
    }
  }
}

}  // namespace amzsync::spapi
