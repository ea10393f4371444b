// SPDX-License-Identifier: Apache-2.0
// Login with Amazon: the token endpoint, and the page on which a seller agrees (facts 1.1 to 1.3).
#include <algorithm>

#include "base/crypto.hpp"
#include "sim/simulator.hpp"

namespace amzsim {

using namespace amzsync::base;   // NOLINT: vocabulary

namespace {

constexpr Duration kAccessLife = std::chrono::seconds(3600);
constexpr Duration kCodeLife = std::chrono::minutes(5);

/// name=value&… of a form body.
std::map<std::string, std::vector<std::string>> parse_form(std::string_view body) {
  std::map<std::string, std::vector<std::string>> fields;
  const auto decode = [](std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '+') {
        out += ' ';
      } else if (text[i] == '%' && i + 2 < text.size()) {
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  };
  while (!body.empty()) {
    const std::size_t end = body.find('&');
    const std::string_view part = body.substr(0, end);
    body = end == std::string_view::npos ? std::string_view() : body.substr(end + 1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    fields[decode(part.substr(0, equals))].push_back(decode(part.substr(equals + 1)));
  }
  return fields;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace

SimAnswer Simulator::token_error(int status, std::string_view code, std::string_view description) {
  JsonWriter json;
  json.begin_object().field("error_description", description).field("error", code).end_object();
  SimAnswer answer;
  answer.status = status;
  answer.content_type = "application/json;charset=UTF-8";
  answer.headers = {{"Cache-Control", "no-store"}, {"Pragma", "no-cache"}};
  answer.body = std::move(json).text();
  return answer;
}

std::string Simulator::new_access_token(Access access) {
  const auto digest = sha256("access/" + std::to_string(settings_.seed) + "/" + std::to_string(access_.size()) + "/" + std::to_string(random_.next()));
  std::string token = "Atza|" + base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
  access_[token] = std::move(access);
  return token;
}

SimAnswer Simulator::token_endpoint(const SimRequest& request) {
  auto& stats = stats_["token"];
  ++stats.calls;
  if (request.method != "POST") return token_error(400, "invalid_request", "The request must be a POST.");
  const auto form = parse_form(request.body);
  const auto field = [&](const std::string& name) { return form.contains(name) ? form.at(name).front() : std::string(); };
  for (const auto& [name, values] : form)
    if (values.size() > 1) return token_error(400, "invalid_request", "The request has a duplicated parameter : " + name);
  const std::string grant = field("grant_type");
  if (grant.empty()) return token_error(400, "invalid_request", "The request is missing a required parameter : grant_type");
  if (field("client_id").empty()) return token_error(400, "invalid_request", "The request is missing a required parameter : client_id");
  if (grant != "authorization_code" && grant != "refresh_token" && grant != "client_credentials")
    return token_error(400, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server");
  if ((!settings_.client_id.empty() && field("client_id") != settings_.client_id) || (!settings_.client_secret.empty() && field("client_secret") != settings_.client_secret) ||
      field("client_secret").empty())
    return token_error(401, "invalid_client", "Client authentication failed");

  JsonWriter out;
  out.begin_object();
  if (grant == "client_credentials") {
    const std::string scope = field("scope");
    if (scope != "sellingpartnerapi::notifications" && scope != "sellingpartnerapi::client_credential:rotation") return token_error(400, "invalid_scope", "The request has an invalid parameter : scope");
    out.field("access_token", new_access_token({0, now() + kAccessLife, scope})).field("scope", scope);
  } else if (grant == "authorization_code") {
    if (field("code").empty()) return token_error(400, "invalid_request", "The request is missing a required parameter : code");
    const auto found = codes_.find(field("code"));
    // Another redirect URI than the one of the consent step is refused where one is sent.
    const bool good = found != codes_.end() && !found->second.used && found->second.expires > now() && (field("redirect_uri").empty() || field("redirect_uri") == found->second.redirect_uri);
    if (!good) return token_error(400, "invalid_grant", "The request has an invalid grant parameter : code");
    found->second.used = true;
    revoked_.erase(found->second.seller);
    out.field("access_token", new_access_token({found->second.seller, now() + kAccessLife, {}})).field("refresh_token", refresh_token(found->second.seller));
  } else {
    const std::string token = field("refresh_token");
    if (token.empty()) return token_error(400, "invalid_request", "The request is missing a required parameter : refresh_token");
    if (token.starts_with("Atzr|other-app-")) return token_error(400, "unauthorized_client", "Not authorized for requested operation");
    int seller = 0;
    for (int n = 1; n <= settings_.sellers; ++n)
      if (token == refresh_token(n)) seller = n;
    if (seller == 0 || revoked_.contains(seller))
      return token_error(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token. User may have revoked or didn't grant the permission.");
    out.field("access_token", new_access_token({seller, now() + kAccessLife, {}})).field("refresh_token", token);
  }
  ++stats.ok;
  out.field("token_type", "bearer").field("expires_in", 3600).end_object();
  SimAnswer answer = json(std::move(out).text());
  answer.content_type = "application/json;charset=UTF-8";
  answer.headers = {{"Cache-Control", "no-store"}, {"Pragma", "no-cache"}};
  return answer;
}

SimAnswer Simulator::consent_page(const SimRequest& request) {
  const std::string redirect = request.param("redirect_uri");
  const auto page = [](int status, const std::string& body) {
    SimAnswer answer;
    answer.status = status;
    answer.content_type = "text/html; charset=utf-8";
    answer.body = "<!doctype html><title>Authorize (simulated)</title>" + body;
    return answer;
  };
  if (request.param("application_id").empty() && !request.path.starts_with("/apps/authorize/confirm")) return page(400, "<h1>SPSA0404</h1><p>The application was not found.</p>");
  if (redirect.empty()) return page(400, "<h1>MD9100</h1><p>No redirect URI.</p>");
  if (redirect.find('#') != std::string::npos) return page(400, "<h1>MD5110</h1><p>The redirect URI holds a '#'.</p>");

  const auto approve = [&](int n) {
    approved_.insert(n);
    const std::string code = "sim-code-" + std::to_string(codes_.size() + 1) + "-" + hex(std::string_view(seller(n).id()));
    codes_[code] = {n, now() + kCodeLife, redirect, false};
    return redirect + (redirect.find('?') == std::string::npos ? "?" : "&") + "state=" + percent_encode(request.param("state")) + "&selling_partner_id=" + seller(n).id() +
           "&spapi_oauth_code=" + percent_encode(code);
  };
  int chosen = 0;
  if (const std::string wanted = request.param("sim_seller"); !wanted.empty()) {
    for (int n = 1; n <= settings_.sellers; ++n)
      if (wanted == std::to_string(n)) chosen = n;
  } else if (settings_.auto_approve) {
    // The next seller that did not authorise yet; when all did, the first again.
    chosen = 1;
    for (int n = settings_.sellers; n >= 1; --n)
      if (!approved_.contains(n)) chosen = n;
  }
  if (chosen > 0) {
    SimAnswer answer;
    answer.status = 302;
    answer.content_type.clear();
    answer.headers.emplace_back("Location", approve(chosen));
    return answer;
  }
  std::string body = "<h1>Authorize " + escape_html(request.param("application_id")) + "</h1><p>Which simulated seller are you?</p><ul>";
  for (int n = 1; n <= settings_.sellers; ++n) {
    std::string link = request.path + "?sim_seller=" + std::to_string(n);
    for (const auto& [name, value] : request.query) link += "&" + percent_encode(name) + "=" + percent_encode(value);
    body += "<li><a href=\"" + escape_html(link) + "\">Seller " + std::to_string(n) + " (" + seller(n).id() + ")</a></li>";
  }
  return page(200, body + "</ul>");
}

}  // namespace amzsim
