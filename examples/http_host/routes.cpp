// SPDX-License-Identifier: Apache-2.0
#include "http_host/routes.hpp"

#include "common/export.hpp"
#include "http_host/dashboard.hpp"
#include "http_host/metrics.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

namespace host {

using Json = nlohmann::ordered_json;
using httpd::Header;
using httpd::Response;

namespace {

constexpr std::string_view kBase = "/api/v1/integrations/amazon";

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }
Response answer(const Json& json, int status = 200) { return {status, "application/json", {}, dump(json)}; }
Response pass_on(std::string_view json) { return {200, "application/json", {}, std::string(json)}; }

Json error_body(std::string_view code, std::string_view message) { return Json{{"success", false}, {"error", code}, {"message", message}}; }
Response error(int status, std::string_view code, std::string_view message) { return answer(error_body(code, message), status); }

/// One place that says which HTTP status a failure of the library has.
int status_of(std::int32_t code) {
  switch (code) {
    case AMZSYNC_ERROR_INVALID_ARGUMENT:
    case AMZSYNC_ERROR_MISSING_CODE:
    case AMZSYNC_ERROR_INVALID_STATE:
    case AMZSYNC_ERROR_STATE_USER_MISMATCH:
    case AMZSYNC_ERROR_INVALID_GRANT:
    case AMZSYNC_ERROR_CONSENT_DENIED: return 400;
    case AMZSYNC_ERROR_NOT_FOUND: return 404;
    case AMZSYNC_ERROR_NOT_CONNECTED:
    case AMZSYNC_ERROR_NEEDS_REAUTH:
    case AMZSYNC_ERROR_SELLER_ALREADY_CONNECTED:
    case AMZSYNC_ERROR_SELLER_MISMATCH:
    case AMZSYNC_ERROR_WRONG_REGION:
    case AMZSYNC_ERROR_SYNC_IN_PROGRESS:
    case AMZSYNC_ERROR_SYNC_OVER: return 409;
    case AMZSYNC_ERROR_NOT_SUPPORTED: return 501;
    case AMZSYNC_ERROR_APP_CREDENTIALS_INVALID:
    case AMZSYNC_ERROR_AMAZON_ERROR:
    case AMZSYNC_ERROR_BAD_ANSWER:
    case AMZSYNC_ERROR_REQUEST_REJECTED:
    case AMZSYNC_ERROR_AMAZON_UNAVAILABLE: return 502;
    case AMZSYNC_ERROR_PAUSED:
    case AMZSYNC_ERROR_CLOSED:
    case AMZSYNC_ERROR_STORE_BUSY:
    case AMZSYNC_ERROR_STORE_FULL:
    case AMZSYNC_ERROR_STORE_UNAVAILABLE: return 503;
    default: return 500;
  }
}
Response failure(const amzsync::Failure& f) { return error(status_of(f.code()), f.name(), f.message()); }

std::string encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto b = static_cast<unsigned char>(c);
    if (std::isalnum(b) || b == '-' || b == '.' || b == '_' || b == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[b >> 4];
      out += kHex[b & 15];
    }
  }
  return out;
}

Response too_many(std::int64_t seconds) {
  Response refused = error(429, "too_many_requests", "Too many requests; please wait a little.");
  refused.headers.push_back({"Retry-After", std::to_string(seconds)});
  return refused;
}

Response redirect(const std::string& where) {
  Response r{302, "", {{"Location", where}, {"Referrer-Policy", "no-referrer"}, {"Cache-Control", "no-store"}}, ""};
  return r;
}
std::string callback_error(const std::string& front, std::string_view code) { return front + "/dashboard?amazon_error=true&error=" + encode(code); }

/// A whole number; nullopt when it is anything else.
std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

/// One request on its way.
struct Routes::Call {
  httpd::Request request;
  httpd::Responder responder;
  std::optional<Identity> identity;
  std::string id;                      ///< what stands for `:id` in the path
  const Routes& routes;

  const std::string& user() const { return identity->user; }
  void send(Response response) {
    routes.add_cors(request, response);
    responder.send(std::move(response));
  }
};

namespace {

Response existing_connection(const amzsync_answer* used, const std::string& front) {
  const std::string message = "Using existing Amazon connection";
  std::string where = front + "/dashboard?amazon_connected=true&message=" + encode(message);
  Json body{{"success", true}, {"ok", true}, {"bypassed", true}, {"connectionVerified", amzsync_answer_verified(used) == 1}, {"message", message}};
  if (const std::string id = amzsync_answer_sync_id(used); !id.empty()) {
    body["syncId"] = id;
    where += "&sync_id=" + encode(id);
  }
  body["redirectUrl"] = where;
  body["syncTriggered"] = amzsync_answer_triggered(used) == 1;
  return answer(body);
}

}  // namespace

enum class Who { anybody, user };
enum class Does {
  read,     ///< and waits for nobody who writes
  start,    ///< reads, or begins something: it may wait for whoever has locked the database
  change,   ///< the same, and a cookie alone does not do
};

/// How long a request stands in line for a thread, at the end of the host too: behind a locked database it might stand there for as long as that is locked.
constexpr std::chrono::seconds kLongestLine(10), kLastLine(1);

struct Routes::Route {
  std::string_view method;
  std::string_view path;               ///< a last part of ":id" stands for anything but a slash
  Who who;
  Does does;
  void (Routes::*act)(Call&);
};

const std::vector<Routes::Route>& Routes::table() {
  static const std::vector<Route> routes{
      {"GET", "/api/v1/integrations/amazon/auth/start", Who::user, Does::start, &Routes::auth_start},
      {"GET", "/api/v1/integrations/amazon/auth/login", Who::user, Does::start, &Routes::auth_login},
      {"GET", "/api/v1/integrations/amazon/auth/callback", Who::user, Does::start, &Routes::auth_callback},
      {"POST", "/api/v1/integrations/amazon/auth/callback", Who::user, Does::change, &Routes::auth_callback_json},
      {"GET", "/api/v1/integrations/amazon/recoveries", Who::user, Does::start, &Routes::recoveries},
      {"GET", "/api/v1/integrations/amazon/connection", Who::user, Does::read, &Routes::connection},
      {"POST", "/api/v1/integrations/amazon/disconnect", Who::user, Does::change, &Routes::disconnect},
      {"POST", "/api/v1/integrations/amazon/notify", Who::user, Does::change, &Routes::notify},
      {"POST", "/api/v1/integrations/amazon/sync", Who::user, Does::change, &Routes::sync_start},
      {"POST", "/api/sync/start", Who::user, Does::change, &Routes::sync_start},
      {"POST", "/api/sync/force", Who::user, Does::change, &Routes::sync_start},
      {"GET", "/api/sync/status", Who::user, Does::read, &Routes::sync_status},
      {"GET", "/api/sync/status/:id", Who::user, Does::read, &Routes::sync_status_one},
      {"GET", "/api/sync/history", Who::user, Does::read, &Routes::sync_history},
      {"POST", "/api/sync/cancel/:id", Who::user, Does::change, &Routes::sync_cancel},
      {"POST", "/api/sync/pause", Who::user, Does::change, &Routes::sync_pause},
      {"POST", "/api/sync/resume", Who::user, Does::change, &Routes::sync_resume},
      {"GET", "/api/sse/status", Who::user, Does::read, &Routes::sse},
      {"GET", "/api/detections/results", Who::user, Does::read, &Routes::findings},
      {"GET", "/api/detections/statistics", Who::user, Does::read, &Routes::finding_statistics},
      {"GET", "/api/detections/:id/explain", Who::user, Does::read, &Routes::explain},
      {"PUT", "/api/detections/:id/state", Who::user, Does::change, &Routes::set_finding_state},
      {"GET", "/api/export", Who::user, Does::read, &Routes::export_rows},
      {"POST", "/api/erase", Who::user, Does::change, &Routes::erase},
      {"GET", "/healthz", Who::anybody, Does::read, &Routes::healthz},
      {"GET", "/readyz", Who::anybody, Does::read, &Routes::readyz},
      {"GET", "/metrics", Who::anybody, Does::read, &Routes::metrics},
      {"GET", "/", Who::anybody, Does::read, &Routes::dashboard},
      {"GET", "/dashboard", Who::anybody, Does::read, &Routes::dashboard},
      {"GET", "/dashboard/:id", Who::anybody, Does::read, &Routes::dashboard},
  };
  return routes;
}

namespace {

bool of_this_machine(const std::string& origin) {
  std::string host = origin_of(origin);
  host = host.substr(std::min(host.size(), host.find("://") == std::string::npos ? 0 : host.find("://") + 3));
  if (host.starts_with("[")) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host.ends_with(".localhost") || (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

/// Matches a path against a pattern with at most one ":id".
bool matches(std::string_view pattern, std::string_view path, std::string& id) {
  const std::size_t mark = pattern.find(":id");
  if (mark == std::string_view::npos) return pattern == path;
  const std::string_view before = pattern.substr(0, mark), after = pattern.substr(mark + 3);
  if (!path.starts_with(before) || !path.ends_with(after) || path.size() <= before.size() + after.size()) return false;
  const std::string_view middle = path.substr(before.size(), path.size() - before.size() - after.size());
  if (middle.find('/') != std::string_view::npos) return false;
  id = std::string(middle);
  return true;
}

}  // namespace

Response Routes::refuse(int status, std::string_view why) { return error(status, status == 413 ? "body_too_large" : status == 431 ? "headers_too_large" : "bad_request", why); }

void Routes::add_cors(const httpd::Request& request, Response& response) const {
  response.headers.push_back({"X-Content-Type-Options", "nosniff"});
  response.headers.push_back({"Vary", "Origin"});
  const std::string origin = request.header("Origin");
  if (origin.empty() || !settings_.frontends.allowed(origin_of(origin))) return;
  response.headers.push_back({"Access-Control-Allow-Origin", origin});
  response.headers.push_back({"Access-Control-Allow-Credentials", "true"});
}

/// A browser says where a page is from; a page of somebody else's must not act with our cookie.
bool Routes::origin_holds(const httpd::Request& request) const {
  std::string origin = request.header("Origin");
  if (origin.empty()) origin = request.header("Referer");
  if (origin.empty()) return false;
  origin = origin_of(origin);
  return settings_.frontends.allowed(origin) || origin == "http://" + request.header("Host") || origin == "https://" + request.header("Host");
}

void Routes::handle(httpd::Request request, httpd::Responder responder) {
  std::string path = request.path;
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  const Route* found = nullptr;
  bool known_path = false;
  std::string id;
  for (const Route& route : table()) {
    if (!matches(route.path, path, id)) continue;
    known_path = true;
    // HEAD is for operators' probes; elsewhere a GET may start something.
    if (route.method == request.method || (request.method == "HEAD" && route.method == "GET" && route.who == Who::anybody)) {
      found = &route;
      break;
    }
  }
  const bool probe = found && (found->act == &Routes::healthz || found->act == &Routes::readyz);
  const auto early = probe ? std::nullopt : of_address_.refuse(request.peer);
  auto call = std::make_shared<Call>(Call{std::move(request), std::move(responder), std::nullopt, id, *this});
  if (early) return call->send(too_many(*early));
  if (known_path && call->request.method == "OPTIONS") {
    Response preflight{204, "", {}, ""};
    if (settings_.frontends.allowed(origin_of(call->request.header("Origin")))) {
      preflight.headers = {{"Access-Control-Allow-Methods", "GET, POST, PUT, OPTIONS"}, {"Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID"}, {"Access-Control-Max-Age", "600"}};
    }
    return call->send(std::move(preflight));
  }
  if (!found) return call->send(known_path ? error(405, "method_not_allowed", "This address does not take that method.") : error(404, "not_found", "There is no such address."));
  if (found->who == Who::user) {
    call->identity = users_.identify(call->request);
    if (!call->identity) return call->send(error(401, "unauthorized", "Please sign in: a bearer token or the session cookie is missing, or no longer good."));
    if (const auto seconds = of_user_.refuse(call->identity->user)) return call->send(too_many(*seconds));
    // A GET may start a sync too (bypass, empty recoveries). A navigation tells no origin, and comes from Amazon's consent page; a page's
    // script tells it.
    const bool told = !call->request.header("Origin").empty();
    if ((found->does == Does::change || told) && call->identity->by_cookie && !origin_holds(call->request))
      return call->send(error(403, "origin_not_allowed", "This request comes from a page that may not act for the user."));
    // Where nobody signs in, pages of this machine may act, those of others not.
    if (call->identity->unproved && told && !origin_holds(call->request) && !of_this_machine(call->request.header("Origin")))
      return call->send(error(403, "origin_not_allowed", "This request comes from a page of another machine; in demo mode it may not act."));
  }
  // It says that the host answers, whatever the database keeps the others waiting for.
  if (found->act == &Routes::healthz) return healthz(*call);
  const auto& threads = found->does == Does::read ? threads_.read : found->does == Does::start ? threads_.start : threads_.change;
  threads([this, call, act = found->act, since = std::chrono::steady_clock::now()] {
    if (std::chrono::steady_clock::now() - since <= (ends_ ? kLastLine : kLongestLine)) return (this->*act)(*call);
    // A browser that comes from Amazon is sent home, and has used nothing up.
    if (act == &Routes::auth_callback) return call->send(redirect(callback_error(settings_.frontends.first(), "store_busy")));
    call->send(error(503, "store_busy", "Other requests wait for the database. Please try again in a moment."));
  });
}

// ---- connecting ----

std::string Routes::front_of(const Call& call) const {
  const std::string wanted = call.request.param("frontend_url");
  return wanted.empty() ? settings_.frontends.first() : origin_of(wanted);
}

void Routes::auth_start(Call& call) {
  const std::string front = front_of(call);
  if (!settings_.frontends.allowed(front)) return call.send(error(400, "invalid_argument", "frontend_url is not one of the allowed front ends."));
  if (call.request.param("bypass") == "true" || call.request.param("skip_oauth") == "true") return bypass(call, front);
  const auto link = engine_.consent_start(call.user(), front, call.request.param("marketplace"));
  if (!link) return call.send(failure(link.error()));
  const Json made = Json::parse(link->json());
  call.send(answer({{"success", true}, {"ok", true}, {"authUrl", link->url()}, {"redirectTo", link->url()}, {"message", "OAuth flow initiated"}, {"state", made["state"]}}));
}

void Routes::bypass(Call& call, const std::string& front) {
  auto shared = std::make_shared<Call>(std::move(call));
  const auto started = engine_.use_existing_connection(shared->user(), [this, shared, front](const amzsync_answer* used, const amzsync_error* failed) {
    if (!failed) return shared->send(existing_connection(used, front));
    const std::int32_t code = amzsync_error_code(failed);
    const Json body = error_body(amzsync_status_name(code), amzsync_error_message(failed));
    if (code != AMZSYNC_ERROR_NOT_CONNECTED && code != AMZSYNC_ERROR_NEEDS_REAUTH) return shared->send(answer(body, status_of(code)));
    // The way out is a new authorisation, so its link comes along. Asked for on a thread that may wait for it.
    if (ends_) return shared->send(answer(body, status_of(code)));
    threads_.start([this, shared, front, code, with_link = body]() mutable {
      const auto link = engine_.consent_start(shared->user(), front, shared->request.param("marketplace"));
      if (link) with_link["authUrl"] = link->url();
      shared->send(answer(with_link, status_of(code)));
    });
  });
  if (!started) shared->send(failure(started.error()));
}

void Routes::auth_login(Call& call) {
  // Of a draft Amazon says so, and wants to hear it again.
  std::string back = call.request.param("amazon_callback_uri");
  if (call.request.param("version") == "beta") back.insert(std::min(back.find('#'), back.size()), back.find('?') == std::string::npos ? "?version=beta" : "&version=beta");
  const auto link = engine_.consent_login(call.user(), settings_.frontends.first(), back, call.request.param("amazon_state"));
  if (!link) return call.send(failure(link.error()));
  call.send(redirect(std::string(link->url())));
}

void Routes::auth_callback(Call& call) {
  const httpd::Request& r = call.request;
  amzsync::OAuthParams params;
  // In demo mode nobody signs in, so the state alone says whose consent this is.
  if (!call.identity->assumed) params.user = call.user();
  params.state = r.param("state");
  params.code = r.has_param("spapi_oauth_code") ? r.param("spapi_oauth_code") : r.param("code");
  params.seller_id = r.param("selling_partner_id");
  params.error = r.param("error");
  const auto frontend = engine_.consent_frontend(params.state);
  const std::string front = frontend ? std::string(frontend->url()) : settings_.frontends.first();

  auto shared = std::make_shared<Call>(std::move(call));
  const auto started = engine_.on_oauth_callback(params, [shared, front](const amzsync_answer* done, const amzsync_error* failed) {
    if (failed) return shared->send(redirect(callback_error(front, amzsync_status_name(amzsync_error_code(failed)))));
    shared->send(redirect(front + "/dashboard?amazon_connected=true&message=" + encode("Amazon account connected") + "&sync_id=" + encode(amzsync_answer_sync_id(done))));
  });
  if (!started) shared->send(redirect(callback_error(front, started.error().name())));
}

void Routes::auth_callback_json(Call& call) {
  const Json body = Json::parse(call.request.body.empty() ? "{}" : call.request.body, nullptr, false);
  if (!body.is_object()) return call.send(error(400, "invalid_json", "The body must be a JSON object."));
  const auto field = [&](std::initializer_list<const char*> names) -> std::string {
    for (const char* name : names) {
      if (body.contains(name) && body[name].is_string()) return body[name].get<std::string>();
      if (call.request.has_param(name)) return call.request.param(name);
    }
    return {};
  };
  amzsync::OAuthParams params;
  if (!call.identity->assumed) params.user = call.user();
  params.state = field({"state", "amazon_state"});
  params.code = field({"spapi_oauth_code", "code"});
  params.seller_id = field({"selling_partner_id"});
  params.error = field({"error"});
  auto shared = std::make_shared<Call>(std::move(call));
  const auto started = engine_.on_oauth_callback(params, [shared](const amzsync_answer* done, const amzsync_error* failed) {
    if (failed) return shared->send(error(status_of(amzsync_error_code(failed)), amzsync_status_name(amzsync_error_code(failed)), amzsync_error_message(failed)));
    shared->send(answer({{"ok", true}, {"connected", true}, {"success", true}, {"message", "Amazon account connected"}, {"syncId", amzsync_answer_sync_id(done)},
                         {"syncTriggered", amzsync_answer_triggered(done) == 1}}));
  });
  if (!started) shared->send(failure(started.error()));
}

void Routes::connection(Call& call) {
  const auto document = engine_.connection(call.user());
  call.send(document ? pass_on(document->json()) : failure(document.error()));
}

void Routes::disconnect(Call& call) {
  const auto done = engine_.disconnect(call.user(), call.user());
  call.send(done ? answer({{"success", true}, {"message", "Amazon account disconnected"}}) : failure(done.error()));
}

void Routes::erase(Call& call) {
  const auto receipt = engine_.erase(call.user(), call.user());
  if (!receipt) return call.send(failure(receipt.error()));
  Json document = Json::parse(receipt->json());
  document["success"] = true;
  call.send(answer(std::move(document)));
}

// ---- recoveries and syncs ----

void Routes::recoveries(Call& call) {
  const auto found = engine_.recoveries(call.user(), call.request.param("by") == "month");
  call.send(found ? pass_on(found->json()) : failure(found.error()));
}

void Routes::sync_start(Call& call) {
  std::string streams;
  if (!call.request.body.empty()) {
    const Json body = Json::parse(call.request.body, nullptr, false);
    if (!body.is_object()) return call.send(error(400, "invalid_json", "The body must be a JSON object, or empty."));
    if (body.contains("streams")) {
      if (!body["streams"].is_string()) return call.send(error(400, "invalid_argument", "streams must be one text: names with commas between."));
      streams = body["streams"].get<std::string>();
    }
  }
  const auto run = engine_.sync_start(call.user(), streams);
  if (!run) return call.send(failure(run.error()));
  if (run->triggered()) {
    const bool paused = Json::parse(run->json()).value("paused", false);
    return call.send(answer({{"syncId", run->sync_id()}, {"status", paused ? "queued" : "in_progress"}, {"message", paused ? "Syncing is paused; this sync begins when it is resumed" : "Sync started successfully"}}));
  }
  Json body = error_body("sync_in_progress", amzsync_status_sentence(AMZSYNC_ERROR_SYNC_IN_PROGRESS));
  body["existingSyncId"] = run->sync_id();
  body["runsAgain"] = Json::parse(run->json()).value("runsAgain", false);
  call.send(answer(body, 409));
}

void Routes::sync_status(Call& call) {
  const auto document = engine_.status(call.user());
  call.send(document ? pass_on(document->json()) : failure(document.error()));
}

void Routes::sync_status_one(Call& call) {
  const auto document = engine_.sync_status(call.user(), call.id);
  call.send(document ? pass_on(document->json()) : failure(document.error()));
}

void Routes::sync_history(Call& call) {
  const auto limit = call.request.has_param("limit") ? number(call.request.param("limit")) : std::optional<std::int64_t>(10);
  const auto offset = call.request.has_param("offset") ? number(call.request.param("offset")) : std::optional<std::int64_t>(0);
  if (!limit || *limit < 1 || *limit > 100) return call.send(error(400, "invalid_argument", "limit must be a number from 1 to 100."));
  if (!offset || *offset < 0) return call.send(error(400, "invalid_argument", "offset must be a number that is not negative."));
  const auto document = engine_.history(call.user(), static_cast<std::int32_t>(*limit), *offset);
  call.send(document ? pass_on(document->json()) : failure(document.error()));
}

// ---- what Amazon owes ----

void Routes::findings(Call& call) {
  const auto limit = call.request.has_param("limit") ? number(call.request.param("limit")) : std::optional<std::int64_t>(100);
  const auto offset = call.request.has_param("offset") ? number(call.request.param("offset")) : std::optional<std::int64_t>(0);
  if (!limit || *limit < 1 || *limit > 1'000) return call.send(error(400, "invalid_argument", "limit must be a number from 1 to 1000."));
  if (!offset || *offset < 0) return call.send(error(400, "invalid_argument", "offset must be a number that is not negative."));
  const auto document = engine_.findings(call.user(), call.request.param("status"), call.request.param("type"), static_cast<std::int32_t>(*limit), *offset);
  call.send(document ? pass_on(document->json()) : failure(document.error()));
}

void Routes::finding_statistics(Call& call) {
  const auto document = engine_.finding_statistics(call.user());
  call.send(document ? pass_on(document->json()) : failure(document.error()));
}

void Routes::explain(Call& call) {
  const auto document = engine_.explain(call.user(), call.id);
  call.send(document ? pass_on(document->json()) : failure(document.error()));
}

void Routes::set_finding_state(Call& call) {
  const Json body = Json::parse(call.request.body, nullptr, false);
  if (!body.is_object()) return call.send(error(400, "invalid_json", "The body must be a JSON object."));
  if (!body.contains("state") || !body["state"].is_string() || (body.contains("caseId") && !body["caseId"].is_string()))
    return call.send(error(400, "invalid_argument", "The body must be {\"state\": \"filed\", \"caseId\": \"…\"}."));
  const auto done = engine_.set_finding_state(call.user(), call.id, body.value("state", ""), body.value("caseId", ""));
  call.send(done ? pass_on(done->json()) : failure(done.error()));
}

void Routes::sync_cancel(Call& call) {
  const auto done = engine_.sync_cancel(call.user(), call.id, call.user());
  call.send(done ? answer({{"success", true}, {"syncId", call.id}, {"message", "Sync cancelled successfully"}}) : failure(done.error()));
}

void Routes::sync_pause(Call& call) {
  const auto done = engine_.pause(call.user(), call.user());
  call.send(done ? answer({{"success", true}, {"paused", true}, {"message", "Syncing is paused"}}) : failure(done.error()));
}

void Routes::sync_resume(Call& call) {
  const auto done = engine_.resume(call.user(), call.user());
  if (!done) return call.send(failure(done.error()));
  const auto now = engine_.status(call.user());
  if (!now) return call.send(failure(now.error()));
  const bool paused = Json::parse(now->json()).value("paused", false);
  call.send(answer({{"success", true}, {"paused", paused}, {"message", paused ? "Syncing goes on when everybody is resumed" : "Syncing is resumed"}}));
}

/// A user's own: whoever delivers for a fleet of users calls the library, not this route.
void Routes::notify(Call& call) {
  const auto taken = engine_.notify(call.user(), call.request.body);
  if (!taken) return call.send(failure(taken.error()));
  Json body{{"success", true}, {"syncTriggered", taken->triggered()}};
  if (taken->triggered()) body["syncId"] = taken->sync_id();
  body["notifications"] = Json::parse(taken->json())["notifications"];
  call.send(answer(body));
}

// ---- events ----

void Routes::sse(Call& call) {
  std::string after = call.request.header("Last-Event-ID");
  if (after.empty()) after = call.request.param("lastEventId");
  std::int64_t position = AMZSYNC_EVENTS_LIVE;
  if (!after.empty()) {
    // A number that is none of ours is told as a gap, like one that is too old.
    const auto parsed = number(after);
    position = parsed && *parsed >= 0 ? *parsed : INT64_MAX;
  }
  // A stream that can't be is refused like every other request: a browser would ask for one that ends at once again and again.
  auto missed = engine_.events(call.user(), position);
  if (!missed) return call.send(failure(missed.error()));
  Response head{200, "text/event-stream", {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}}, ""};
  add_cors(call.request, head);
  streams_.add(call.user(), std::move(*missed), call.responder.stream(std::move(head)));
}

// ---- the user's data ----

void Routes::export_rows(Call& call) {
  const httpd::Request& request = call.request;
  amzsync_tools::Export what{call.user(), request.param("what"), request.param("format") == "csv", std::nullopt, request.param("status"), request.param("type")};
  if (request.has_param("format") && request.param("format") != "csv" && request.param("format") != "ndjson") return call.send(error(400, "invalid_argument", "format must be ndjson or csv."));
  if (request.has_param("since")) {
    what.since = number(request.param("since"));
    if (!what.since || *what.since < 0) return call.send(error(400, "invalid_argument", "since must be a number that is not negative."));
  }
  if (const std::string wrong = amzsync_tools::refuse(what); !wrong.empty()) return call.send(error(400, "invalid_argument", wrong + "."));
  // Whether there is such a user and such a dataset must be known before the answer begins.
  if (what.what == "findings") {
    if (const auto page = engine_.findings(what.user, what.status, what.rule, 1); !page) return call.send(failure(page.error()));
  } else if (const auto changes = engine_.changes(what.user, amzsync_tools::datasets(what), what.since.value_or(0)); !changes) {
    return call.send(failure(changes.error()));
  }
  const std::string name = datasets(what).empty() || what.what.find(',') != std::string::npos ? "amzsync" : what.what;
  Response head{200, what.csv ? "text/csv; charset=utf-8" : "application/x-ndjson", {{"Cache-Control", "no-store"}, {"Content-Disposition", "attachment; filename=\"" + name + (what.csv ? ".csv\"" : ".ndjson\"")}}, ""};
  add_cors(request, head);
  threads_.export_rows([this, what, stream = call.responder.stream(std::move(head))] {
    constexpr std::size_t kChunk = 64U << 10, kAhead = 256U << 10;
    std::string chunk;
    const auto put = [&](const std::string& line) {
      chunk += line + '\n';
      if (chunk.size() < kChunk) return true;
      return stream->wait_until_taken(kAhead) && stream->write(std::exchange(chunk, {}));
    };
    // A client must be able to tell half of it from all of it.
    if (amzsync_tools::write_export(engine_, what, put) || !stream->wait_until_taken(kAhead) || (!chunk.empty() && !stream->write(std::move(chunk)))) return stream->close();
    stream->finish();
  });
}

// ---- what operators ask ----

void Routes::healthz(Call& call) { call.send(answer({{"status", "ok"}})); }

void Routes::readyz(Call& call) {
  const auto measures = engine_.measures();
  if (!measures) return call.send(answer({{"status", "unavailable"}, {"error", measures.error().name()}, {"message", measures.error().message()}}, 503));
  const Json m = Json::parse(measures->json());
  // Neither is a reason to send readers elsewhere.
  Json warnings = Json::array();
  if (m["paused"].get<bool>()) warnings.push_back("Syncing of everybody is paused.");
  if (!m["room"].get<bool>()) warnings.push_back("The database's disk has no room to spare: syncs end as store_full.");
  call.send(answer({{"status", "ready"}, {"warnings", warnings}}));
}

void Routes::metrics(Call& call) {
  const auto measures = engine_.measures();
  if (!measures) return call.send(failure(measures.error()));
  call.send({200, "text/plain; version=0.0.4; charset=utf-8", {}, metrics_text(measures->json(), static_cast<std::int64_t>(streams_.count()))});
}

void Routes::dashboard(Call& call) {
  const std::string_view name = call.id.empty() ? "index.html" : std::string_view(call.id);
  const auto files = dashboard_files();
  const auto file = std::find_if(files.begin(), files.end(), [&](const DashboardFile& f) { return f.name == name; });
  if (file == files.end()) return call.send(error(404, "not_found", "There is no such address."));
  const std::string tag = '"' + std::to_string(std::hash<std::string_view>()(file->text)) + '"';
  std::vector<httpd::Header> headers{
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-cache"},   // kept, and asked each time whether it is still that
      {"ETag", tag}};
  if (call.request.header("If-None-Match") == tag) return call.send({304, "", std::move(headers), ""});
  const char* type = name.ends_with(".js") ? "text/javascript; charset=utf-8" : name.ends_with(".css") ? "text/css; charset=utf-8" : "text/html; charset=utf-8";
  call.send({200, type, std::move(headers), std::string(file->text)});
}

}  // namespace host
