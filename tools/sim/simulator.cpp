// SPDX-License-Identifier: Apache-2.0
#include "sim/simulator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "base/crypto.hpp"
#include "spapi/operations.hpp"

namespace amzsim {

using namespace amzsync::base;   // NOLINT: vocabulary
namespace spapi = amzsync::spapi;

namespace {

constexpr std::int64_t kTransactionsPerPage = 500;
constexpr std::int64_t kMostEventsPerPage = 100;
constexpr std::int64_t kSkusPerPage = 50;
constexpr Duration kFinanceTokenLife = std::chrono::minutes(25);
constexpr Duration kInventoryTokenLife = std::chrono::seconds(30);
constexpr Duration kTooYoung = std::chrono::minutes(2);
constexpr Duration kWidestSpan = std::chrono::hours(24 * 180);
constexpr int kSeamEvery = 3;
/// Not called by the library, which reads items by their update.
constexpr spapi::Operation kGetShipmentItemsByShipmentId{"getShipmentItemsByShipmentId", 2.0, 30, std::chrono::seconds(60)};

double seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }

/// The parameters that a page token is bound to.
std::string arguments_of(const SimRequest& r, std::string_view token_name) {
  std::string all;
  for (const auto& [name, value] : r.query)
    if (name != token_name) all += name + "=" + value + "&";
  return all;
}

/// As in the header `Date`.
std::string http_date(Instant at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(at));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

/// Sums for /_sim/truth.
class TruthSum {
 public:
  void add(const ToldAmount& a) {
    ++amounts_;
    fees_ += a.fee ? 1 : 0;
    auto& line = lines_[std::string(a.list) + "\t" + a.path + "\t" + a.type + "\t" + a.currency];
    ++line.count;
    line.sum += a.amount.value;
    by_currency_[a.currency] += a.amount.value;
  }
  void event(std::string_view list, const std::string& order) {
    ++events_;
    ++by_list_[std::string(list)];
    if (!order.empty()) orders_.insert(order);
  }
  void credit(const std::string& currency, Micros amount) {
    credits_[currency].sum += amount.value;
    credits_[currency].count += amount.value > 0 ? 1 : 0;
  }
  void write(JsonWriter& json, bool lines) const {
    json.begin_object().field("rows", events_).field("amounts", amounts_).field("orders", static_cast<std::int64_t>(orders_.size())).field("feeLines", fees_);
    json.key("byList").begin_object();
    for (const auto& [list, count] : by_list_) json.field(list, count);
    json.end_object().key("sumByCurrency").begin_object();
    for (const auto& [currency, sum] : by_currency_) json.field(currency, Micros{sum});
    json.end_object().key("recoveries").begin_array();
    for (const auto& [currency, c] : credits_) json.begin_object().field("currency", currency).field("amount", Micros{c.sum}).field("count", c.count).end_object();
    json.end_array();
    if (lines) {
      json.key("lines").begin_array();
      for (const auto& [key, line] : lines_) {
        std::vector<std::string> parts(1);
        for (const char c : key) c == '\t' ? parts.emplace_back() : parts.back() += c, void();
        json.begin_object().field("list", parts[0]).field("path", parts[1]).field("type", parts[2]).field("currency", parts[3]).field("count", line.count).field("sum", Micros{line.sum}).end_object();
      }
      json.end_array();
    }
    json.end_object();
  }

 private:
  struct Line {
    std::int64_t count = 0, sum = 0;
  };
  std::int64_t events_ = 0, amounts_ = 0, fees_ = 0;
  std::map<std::string, std::int64_t> by_list_, by_currency_;
  std::map<std::string, Line> lines_, credits_;
  std::set<std::string> orders_;
};

bool is_token(std::string_view name) { return name == "nextToken" || name == "NextToken"; }

/// Whether a request goes on with a list.
bool page_of(const SimRequest& r) { return r.has_param("nextToken") || r.has_param("NextToken"); }

/// The token of an empty page stands for the one that the page was asked with.
constexpr std::string_view kAgain = "again-";
SimRequest with_its_own_token(SimRequest r) {
  for (auto& [name, value] : r.query)
    while (is_token(name) && value.starts_with(kAgain)) value.erase(0, kAgain.size());
  std::erase_if(r.query, [](const auto& p) { return is_token(p.first) && p.second.empty(); });
  return r;
}

/// The span of money that a request asks for.
Duration span_of(const SimRequest& r) {
  const auto from = parse_instant(r.param("postedAfter") + r.param("PostedAfter")), until = parse_instant(r.param("postedBefore") + r.param("PostedBefore"));
  return from && until ? *until - *from : Duration{};
}

}  // namespace

std::string SimRequest::param(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}
bool SimRequest::has_param(std::string_view name) const {
  return std::any_of(query.begin(), query.end(), [&](const auto& p) { return p.first == name; });
}
std::string SimRequest::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

Simulator::Simulator(SimSettings settings, std::function<Instant()> now) : settings_(std::move(settings)), clock_(std::move(now)), random_(settings_.seed * 31 + 5) {
  // Facts end an hour before the day the simulator was started on ends its history: nothing is younger than Amazon would tell.
  const Instant end = std::chrono::floor<std::chrono::hours>(clock_()) - std::chrono::hours(1);
  for (int n = 1; n <= settings_.sellers; ++n) {
    SellerSettings s;
    s.seed = settings_.seed;
    s.number = n;
    s.region = settings_.region;
    s.events = settings_.events;
    s.skus = settings_.skus;
    s.end = end;
    s.history = std::chrono::hours(24 * settings_.history_days);
    s.goes_on = settings_.goes_on;
    s.title_bytes = settings_.title_bytes;
    s.planted = settings_.planted;
    s.planted_blank_columns = settings_.planted_blank_columns;
    s.planted_rules = settings_.planted_rules;
    sellers_.emplace_back(s);
  }
}

Instant Simulator::now() const { return clock_() + moved_; }
const Seller& Simulator::seller(int number) const { return sellers_.at(static_cast<std::size_t>(number - 1)); }
std::string Simulator::refresh_token(int seller) const { return "Atzr|sim-seller-" + std::to_string(seller); }

void Simulator::add_fault(Fault fault) {
  std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}
void Simulator::clear_faults() {
  std::lock_guard lock(mutex_);
  faults_.clear();
}
void Simulator::advance(Duration by) {
  std::lock_guard lock(mutex_);
  moved_ += by;
}
void Simulator::revoke(int seller) {
  std::lock_guard lock(mutex_);
  revoked_.insert(seller);
  std::erase_if(access_, [&](const auto& entry) { return entry.second.seller == seller; });
}
void Simulator::lose_stock(int seller, std::int64_t skus) {
  std::lock_guard lock(mutex_);
  sellers_.at(static_cast<std::size_t>(seller - 1)).lose_stock(skus);
}
void Simulator::hide_stock(int seller, std::int64_t skus) {
  std::lock_guard lock(mutex_);
  hidden_stock_[seller] = skus;
}
std::map<std::string, Simulator::OperationStats> Simulator::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

SimAnswer Simulator::json(std::string body) {
  SimAnswer answer;
  answer.body = std::move(body);
  return answer;
}

SimAnswer Simulator::error(int status, std::string_view code, std::string_view message, std::string_view details) {
  JsonWriter json;
  json.begin_object().key("errors").begin_array().begin_object().field("code", code).field("message", message).field("details", details).end_object().end_array().end_object();
  SimAnswer answer;
  answer.status = status;
  answer.body = std::move(json).text();
  return answer;
}

std::optional<Fault> Simulator::fault_for(const SimRequest& r) {
  const bool page = page_of(r);
  for (auto it = faults_.begin(); it != faults_.end(); ++it) {
    if (!r.path.starts_with(it->path) || (it->whole_path && r.path != it->path) || (it->pages_only && !page) || r.body.find(it->body_holds) == std::string::npos) continue;
    if ((!it->method.empty() && it->method != r.method) || (it->wider_than > Duration(0) && span_of(r) <= it->wider_than)) continue;
    if (!it->query_holds.empty() && std::none_of(r.query.begin(), r.query.end(), [&](const auto& p) { return p.second.find(it->query_holds) != std::string::npos; })) continue;
    if (it->after > 0) {
      --it->after;
      continue;
    }
    const Fault fault = *it;
    if (it->times > 0 && --it->times == 0) faults_.erase(it);
    return fault;
  }
  return std::nullopt;
}

SimAnswer Simulator::handle(const SimRequest& sent) {
  std::lock_guard lock(mutex_);
  const SimRequest request = with_its_own_token(sent);
  if (request.path.starts_with("/_sim/")) {
    if (request.path == "/_sim/truth") return truth_answer(request);
    if (request.path == "/_sim/stats") return stats_answer();
    if (request.path == "/_sim/control" && request.method == "POST") return control(request);
    return error(404, "NotFound", "The simulator has /_sim/truth, /_sim/stats and POST /_sim/control.");
  }
  const auto fault = fault_for(request);
  if (!fault) return route(request);

  SimAnswer answer;
  if (fault->kind == "status") {
    answer = error(fault->status, fault->code.empty() ? "InternalFailure" : fault->code, fault->message.empty() ? "We encountered an internal error. Please try again." : fault->message, fault->details);
    if (request.path == "/auth/o2/token") answer = token_error(fault->status, fault->code.empty() ? "server_error" : fault->code, fault->message);
  } else if (fault->kind == "html") {
    answer.status = fault->status;
    answer.content_type = "text/html";
    answer.body = "<html><body><h1>" + std::to_string(fault->status) + " Service Unavailable</h1></body></html>";
  } else if (fault->kind == "drop") {
    answer.delivery = SimAnswer::Delivery::drop;
  } else if (fault->kind == "hang") {
    answer.delivery = SimAnswer::Delivery::hang;
  } else if (fault->kind == "empty") {
    answer = json("{\"payload\":{}}");
  } else if (fault->kind == "empty_page") {
    const bool v0 = request.path.starts_with("/finances/v0");
    JsonWriter page;
    page.begin_object().key("payload").begin_object().field(v0 ? "NextToken" : "nextToken", std::string(kAgain) + sent.param("nextToken") + sent.param("NextToken"));
    page.key(v0 ? "FinancialEvents" : "transactions").raw(v0 ? "{}" : "[]");
    answer = json(std::move(page.end_object().end_object()).text());
  } else if (fault->kind == "body") {
    answer.status = fault->body_status;
    answer.content_type = fault->content_type;
    answer.body = fault->message;
  } else if (fault->kind == "token_expired") {
    answer = error(400, "InvalidInput", "Token is not valid, token duration is 3 minutes.");
  } else {
    SimRequest asked = request;
    const std::string loop = fault->kind == "token_loop" && !fault->message.empty() ? fault->message : "loop";
    // Pages of a loop are always the first one again.
    if (fault->kind == "token_loop" || fault->kind == "page_loop") std::erase_if(asked.query, [&](const auto& p) { return is_token(p.first) && p.second.starts_with(loop); });
    answer = route(asked);
    if (fault->kind.starts_with("report_") && answer.status == 202) {
      Report& made = reports_.back();
      if (fault->kind == "report_cancelled") made.fate = Report::Fate::no_data;
      if (fault->kind == "report_fatal") made.fate = Report::Fate::fatal, made.why = fault->message;
      if (fault->kind == "report_stuck") made.fate = Report::Fate::stuck;
      if (fault->kind == "report_short") made.until -= std::chrono::days(1);
      if (fault->kind == "report_moved") made.fate = Report::Fate::done, made.from = made.until;
    }
    if (fault->kind == "last_page_again" && page_of(request) && answer.body.find("extToken\":") == std::string::npos) {
      // The end of the list shows its beginning again.
      std::erase_if(asked.query, [](const auto& p) { return is_token(p.first); });
      answer = route(asked);
      const std::size_t at = answer.body.find(",\"pagination\"");
      if (at != std::string::npos) answer.body.resize(at), answer.body += '}';
    }
    if (fault->kind == "omit") {
      const std::string name = "\"" + fault->member + "\":";
      if (const std::size_t at = answer.body.find(name); at != std::string::npos) {
        std::size_t until = answer.body.find_first_of(",}", at);
        if (answer.body[until] == ',') ++until;
        answer.body.erase(at, until - at);
      }
    }
    if (fault->kind == "truncate") {
      answer.body.resize(answer.body.size() * 2 / 3);
    } else if (fault->kind == "cut") {
      answer.delivery = SimAnswer::Delivery::cut;
    } else if (fault->kind == "token_loop" || fault->kind == "page_loop") {
      // The same token for ever, or ever new tokens to the same page.
      const std::string token = fault->kind == "token_loop" ? loop : "loop-" + std::to_string(request_number_);
      for (const std::string_view name : {"\"nextToken\":", "\"NextToken\":"}) {
        const std::size_t at = answer.body.find(name);
        if (at == std::string::npos) continue;
        const std::size_t from = at + name.size();
        const std::size_t until = answer.body.find_first_of(",}", from);
        answer.body.replace(from, until - from, "\"" + token + "\"");
      }
    } else if (fault->kind == "wrong_type") {
      // Some amounts as strings: always the same ones, whichever page they come in.
      constexpr std::string_view kName = "urrencyAmount\":";
      for (std::size_t at = answer.body.find(kName); at != std::string::npos; at = answer.body.find(kName, at + kName.size())) {
        const std::size_t from = at + kName.size();
        const std::size_t until = answer.body.find_first_of(",}", from);
        if (std::string_view(answer.body).substr(from, until - from).ends_with("13") || fault->all) answer.body.insert(until, "\"").insert(from, "\"");
      }
    }
  }
  answer.delay += fault->delay;
  return answer;
}

SimAnswer Simulator::route(const SimRequest& request) {
  if (request.path == "/auth/o2/token") return token_endpoint(request);
  if (request.path == "/apps/authorize/consent" || request.path.starts_with("/apps/authorize/confirm")) return consent_page(request);
  if (request.path.starts_with("/_docs/")) return document(request);
  return api(request);
}

// ---- SP-API ----

bool Simulator::admit(const Plan& plan, int seller) {
  if (settings_.rate_scale <= 0) return true;
  Bucket& b = buckets_.try_emplace({std::string(plan.operation), seller}, Bucket{static_cast<double>(plan.burst), now()}).first->second;
  b.level = std::min<double>(plan.burst, b.level + seconds(now() - b.as_of) * plan.rate * settings_.rate_scale * (1 - settings_.foreign_use));
  b.as_of = now();
  if (b.level < 1.0 - 1e-9) return false;
  b.level -= 1.0;
  return true;
}

SimAnswer Simulator::api(const SimRequest& request) {
  struct Route {
    std::string_view method, path;   // a path that ends in a slash stands for all that begin so
    const spapi::Operation* operation;
    SimAnswer (Simulator::*act)(int seller, const SimRequest& request);
  };
  static constexpr std::string_view kReports = "/reports/2021-06-30/reports";
  static constexpr std::array kRoutes{Route{"GET", "/sellers/v1/marketplaceParticipations", &spapi::kGetMarketplaceParticipations, &Simulator::participations},
                                      Route{"GET", "/finances/2024-06-19/transactions", &spapi::kListTransactions, &Simulator::transactions},
                                      Route{"GET", "/finances/v0/financialEvents", &spapi::kListFinancialEvents, &Simulator::financial_events},
                                      Route{"GET", "/fba/inventory/v1/summaries", &spapi::kGetInventorySummaries, &Simulator::inventory},
                                      Route{"GET", "/fba/inbound/v0/shipments", &spapi::kGetShipments, &Simulator::inbound_shipments},
                                      Route{"GET", "/fba/inbound/v0/shipmentItems", &spapi::kGetShipmentItems, &Simulator::inbound_items},
                                      Route{"GET", "/fba/inbound/v0/shipments/", &kGetShipmentItemsByShipmentId, &Simulator::inbound_items_of_shipment},
                                      Route{"POST", kReports, &spapi::kCreateReport, &Simulator::create_report},
                                      Route{"GET", kReports, &spapi::kGetReports, &Simulator::get_reports},
                                      Route{"GET", "/reports/2021-06-30/reports/", &spapi::kGetReport, &Simulator::get_report},
                                      Route{"GET", "/reports/2021-06-30/documents/", &spapi::kGetReportDocument, &Simulator::get_report_document}};
  const std::string request_id = "sim-" + std::to_string(++request_number_);
  const auto found = std::find_if(kRoutes.begin(), kRoutes.end(), [&](const Route& r) {
    return r.method == request.method && (r.path.ends_with('/') ? request.path.starts_with(r.path) && request.path.size() > r.path.size() : r.path == request.path);
  });
  const auto finish = [&](SimAnswer answer, const Plan* plan) {
    answer.headers.emplace_back("x-amzn-RequestId", request_id);
    answer.headers.emplace_back("Date", http_date(now()));
    if (plan && (answer.status < 300 || answer.status == 400 || answer.status == 404)) {
      constexpr double kNoLimit = 1'000;   // what callers learn where there is none
      const double rate = settings_.rate_scale > 0 ? plan->rate * settings_.rate_scale : kNoLimit;
      answer.headers.emplace_back("x-amzn-RateLimit-Limit", format_micros(Micros{static_cast<std::int64_t>(std::llround(rate * 1e6))}));
    }
    return answer;
  };
  if (found == kRoutes.end()) return finish(error(403, "MissingAuthenticationToken", "Missing Authentication Token"), nullptr);
  const Plan plan{found->operation->name, found->operation->rate, found->operation->burst};
  auto& stats = stats_[std::string(plan.operation)];
  ++stats.calls;

  const std::string agent = request.header("user-agent");
  if (agent.empty() || agent.size() > 500 || agent.find('/') == std::string::npos || agent.find("(Language=") == std::string::npos) {
    ++stats.refused;
    return finish(error(400, "InvalidInput", "The user-agent header is missing or malformed."), nullptr);
  }
  const std::string token = request.header("x-amz-access-token");
  const auto deny = [&](std::string_view details) {
    ++stats.refused;
    return finish(error(403, "Unauthorized", "Access to requested resource is denied.", details), nullptr);
  };
  if (token.empty()) return deny("Access token is missing in the request header.");
  const auto access = access_.find(token);
  if (access == access_.end()) return deny("The access token you provided is revoked, malformed or invalid.");
  if (access->second.expires <= now()) return deny("The access token you provided has expired.");
  const int n = access->second.seller;
  if (n == 0) return deny("");
  if (revoked_.contains(n)) return deny("The access token you provided is revoked, malformed or invalid.");
  if (!admit(plan, n)) {
    ++stats.throttled;
    return finish(error(429, "QuotaExceeded", "You exceeded your quota for the requested resource."), nullptr);
  }
  SimAnswer answer = (this->*found->act)(n, request);
  if (answer.status < 300) ++stats.ok;
  return finish(std::move(answer), &plan);
}

std::string Simulator::page_token(std::string_view operation, int n, const std::string& arguments, std::int64_t offset) {
  // What it says is signed by a hash, so a changed one is refused. It holds '=', '+' and '/' as Amazon's do.
  const std::string made = std::to_string(to_us(now()));
  const std::string content = std::string(operation) + "|" + std::to_string(n) + "|" + std::to_string(offset) + "|" + made + "|" + arguments;
  const auto digest = sha256("token/" + content);
  return base64_encode(std::to_string(offset) + "|" + made + "|" + hex({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "?>?");
}

Simulator::PagePlace Simulator::read_token(std::string_view operation, int n, const std::string& arguments, const std::string& token, Duration life) {
  PagePlace place;
  place.fault = "Token is not valid.";
  const auto text = base64_decode(token);
  if (!text) return place;
  const std::size_t first = text->find('|'), second = text->find('|', first + 1);
  if (first == std::string::npos || second == std::string::npos) return place;
  try {
    place.offset = std::stoll(text->substr(0, first));
    const std::string made = text->substr(first + 1, second - first - 1);
    const std::string content = std::string(operation) + "|" + std::to_string(n) + "|" + std::to_string(place.offset) + "|" + made + "|" + arguments;
    const auto digest = sha256("token/" + content);
    if (text->substr(second + 1) != hex({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "?>?") return place;
    if (now() - from_us(std::stoll(made)) > life) {
      place.fault = "Token is not valid, token duration is " + std::to_string(std::chrono::duration_cast<std::chrono::minutes>(life).count()) + " minutes.";
      return place;
    }
  } catch (const std::exception&) {
    return place;
  }
  place.fault.clear();
  return place;
}

SimAnswer Simulator::participations(int n, const SimRequest&) {
  JsonWriter out;
  out.begin_object().key("payload").begin_array();
  for (const Marketplace* m : seller(n).marketplaces()) {
    out.begin_object().key("marketplace").begin_object().field("id", m->id).field("name", std::string("Amazon ") + std::string(m->country)).field("countryCode", m->country);
    out.field("defaultCurrencyCode", m->currency).field("defaultLanguageCode", "en_US").field("domainName", "www.amazon." + std::string(m->country)).end_object();
    out.field("storeName", "Store " + std::to_string(n)).key("participation").begin_object().field("isParticipating", true).field("hasSuspendedListings", false).end_object().end_object();
  }
  // What multi-channel fulfilment brings along: no marketplace that any other operation takes.
  out.begin_object().key("marketplace").begin_object().field("id", "A1MQXOICRS2Z7M").field("name", "Non-Amazon").field("countryCode", "US").field("defaultCurrencyCode", "USD");
  out.field("defaultLanguageCode", "en_US").field("domainName", "siprod.stores.amazon.com").end_object().field("storeName", "Store").key("participation").begin_object();
  out.field("isParticipating", true).field("hasSuspendedListings", false).end_object().end_object();
  out.end_array().end_object();
  return json(std::move(out).text());
}

namespace {

/// The span of a finance request, or why it is refused.
struct Span {
  Instant from{}, until{};
  std::optional<SimAnswer> refusal;
  bool too_wide = false;
};

}  // namespace

SimAnswer Simulator::financial_events(int n, const SimRequest& r) {
  const auto after = parse_instant(r.param("PostedAfter"));
  const auto before = r.has_param("PostedBefore") ? parse_instant(r.param("PostedBefore")) : std::optional(now() - kTooYoung);
  std::int64_t page_size = kMostEventsPerPage;
  if (r.has_param("MaxResultsPerPage")) page_size = std::atoll(r.param("MaxResultsPerPage").c_str());
  if (page_size < 1 || page_size > kMostEventsPerPage) return error(400, "InvalidInput", "MaxResultsPerPage must be between 1 and 100.");
  page_size = page_of_most(page_size);
  if (!after || !before) return error(400, "InvalidInput", "Date range is invalid.");
  if (*before > now() - kTooYoung || *after > now() - kTooYoung) return error(400, "InvalidInput", "PostedAfter and PostedBefore must be at least 2 minutes before now.");
  if (*after >= *before) return error(400, "InvalidInput", "Date range is invalid.");
  const Seller& s = seller(n);
  const std::string arguments = arguments_of(r, "NextToken");
  std::int64_t first = s.first_at(*after);
  std::int64_t last = s.first_at(*before);
  if (*before - *after > kWidestSpan) last = first;   // silently
  std::int64_t offset = first;
  bool seam = false;
  if (const std::string token = r.param("NextToken"); !token.empty()) {
    const PagePlace place = read_token("v0", n, arguments, token, kFinanceTokenLife);
    if (!place.fault.empty()) return error(400, "InvalidInput", place.fault);
    offset = place.offset;
    seam = settings_.seams && offset > first && ((offset - first) / page_size) % kSeamEvery == 1;
  }
  const std::int64_t end = std::min(last, offset + page_size);
  std::vector<RenderedEvent> events;
  // A page may begin with the last event of the one before; only one that can be recognised by its id.
  if (seam && shown(s, offset - 1)) {
    RenderedEvent before_event = render_v0(s.fact(offset - 1), nullptr);
    if (before_event.named) events.push_back(std::move(before_event));
  }
  for (std::int64_t i = offset; i < end; ++i)
    if (shown(s, i)) events.push_back(render_v0(s.fact(i), nullptr));
  JsonWriter out;
  out.begin_object().key("payload").begin_object();
  if (end < last) out.field("NextToken", page_token("v0", n, arguments, end));
  out.key("FinancialEvents").begin_object();
  for (const std::string_view list : kEventLists) {
    out.key(list).begin_array();
    for (const RenderedEvent& e : events)
      if (e.list == list) out.raw(e.json);
    out.end_array();
  }
  out.end_object().end_object().end_object();
  return json(std::move(out).text());
}

bool Simulator::shown(const Seller& s, std::int64_t number) const {
  return s.shown(number, now()) && (settings_.late_every == 0 || number % settings_.late_every != 0 || now() >= s.posted(number) + settings_.late_by);
}

std::vector<std::pair<std::int64_t, Part>> Simulator::visible_transactions(const Seller& s, Instant from, Instant until) const {
  struct Entry {
    Instant posted;
    std::int64_t number;
    Part part;
  };
  std::vector<Entry> entries;
  constexpr Duration kLongestDeferral = std::chrono::hours(24 * 15);
  for (std::int64_t i = s.first_at(from - kLongestDeferral); i < s.first_at(until); ++i) {
    if (!shown(s, i)) continue;
    const Instant posted = s.posted(i);
    const Fact f = s.fact(i);
    if (posted >= from) entries.push_back({f.posted, i, f.deferred ? Part::deferred : Part::only});
    if (f.was_released(now()) && f.released >= from && f.released < until) entries.push_back({f.released, i, Part::released});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.posted < b.posted; });
  constexpr std::int64_t kBlocks = 3;
  if (settings_.blocks) std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.number % kBlocks < b.number % kBlocks; });
  std::vector<std::pair<std::int64_t, Part>> visible;
  for (const Entry& e : entries) visible.emplace_back(e.number, e.part);
  return visible;
}

SimAnswer Simulator::transactions(int n, const SimRequest& r) {
  const auto after = parse_instant(r.param("postedAfter"));
  const auto before = r.has_param("postedBefore") ? parse_instant(r.param("postedBefore")) : std::optional(now() - kTooYoung);
  if (!r.has_param("postedAfter")) return error(400, "InvalidInput", "Start date cannot be null");
  if (!after || !before || *after >= *before) return error(400, "InvalidInput", "Date range is invalid.");
  if (*before > now() - kTooYoung || *after > now() - kTooYoung) return error(400, "InvalidInput", "The dates must be at least two minutes before now.");
  const Seller& s = seller(n);
  const std::string arguments = arguments_of(r, "nextToken");
  std::vector<std::pair<std::int64_t, Part>> all;
  if (*before - *after <= kWidestSpan) all = visible_transactions(s, *after, *before);
  const std::string status = r.param("transactionStatus");
  const std::int64_t per_page = page_of_most(kTransactionsPerPage);
  std::int64_t offset = 0;
  bool seam = false;
  if (const std::string token = r.param("nextToken"); !token.empty()) {
    const PagePlace place = read_token("2024", n, arguments, token, kFinanceTokenLife);
    if (!place.fault.empty()) return error(400, "InvalidInput", place.fault);
    offset = place.offset;
    seam = settings_.seams && offset > 0 && (offset / per_page) % kSeamEvery == 1;
  }
  const auto size = static_cast<std::int64_t>(all.size());
  const std::int64_t end = std::min(size, offset + per_page);
  JsonWriter out;
  out.begin_object().key("payload").begin_object();
  if (end < size) {
    out.field("nextToken", page_token("2024", n, arguments, end));
  } else {
    out.field_null("nextToken");
  }
  out.key("transactions").begin_array();
  for (std::int64_t i = seam ? offset - 1 : offset; i < end; ++i) {
    const auto& [number, part] = all[static_cast<std::size_t>(i)];
    out.raw(render_2024(s, s.fact(number), part, now(), nullptr).json);
  }
  out.end_array().end_object().end_object();
  return json(std::move(out).text());
}

SimAnswer Simulator::inventory(int n, const SimRequest& r) {
  const Seller& s = seller(n);
  const std::string id = r.param("granularityId");
  if (r.param("granularityType") != "Marketplace" || id.empty() || r.param("marketplaceIds") != id) return error(400, "InvalidInput", "granularityType, granularityId and marketplaceIds must name one marketplace.");
  const auto& places = s.marketplaces();
  const auto place = std::find_if(places.begin(), places.end(), [&](const Marketplace* m) { return m->id == id; });
  if (place == places.end()) return error(403, "Unauthorized", "Access to requested resource is denied.");
  auto rows = stock(s, static_cast<std::size_t>(place - places.begin()));
  const std::string skus = r.param("sellerSkus"), sku = r.param("sellerSku");
  if (std::count(skus.begin(), skus.end(), ',') >= kSkusPerPage) return error(400, "InvalidInput", "sellerSkus must hold at most 50 SKUs.");
  if (!skus.empty()) {
    std::erase_if(rows, [&](const StockRow& row) { return row.sku.find(',') != std::string::npos || ("," + skus + ",").find("," + row.sku + ",") == std::string::npos; });
  } else if (!sku.empty()) {
    std::erase_if(rows, [&](const StockRow& row) { return row.sku != sku; });
  } else if (const auto hidden = hidden_stock_.find(n); hidden != hidden_stock_.end()) {
    // A gap in the middle of the list.
    const auto size = static_cast<std::int64_t>(rows.size()), gap = std::min(hidden->second, size);
    rows.erase(rows.begin() + (size - gap) / 2, rows.begin() + (size - gap) / 2 + gap);
  }
  std::int64_t offset = 0;
  const std::string arguments = arguments_of(r, "nextToken");
  if (const std::string token = r.param("nextToken"); !token.empty()) {
    const PagePlace at = read_token("inventory", n, arguments, token, kInventoryTokenLife);
    if (!at.fault.empty()) return error(400, "InvalidInput", "The next token is not valid or has expired.");
    offset = at.offset;
  }
  const auto end = std::min<std::int64_t>(static_cast<std::int64_t>(rows.size()), offset + page_of_most(kSkusPerPage));
  const bool details = r.param("details") == "true";
  JsonWriter out;
  out.begin_object().key("payload").begin_object().key("granularity").begin_object().field("granularityType", "Marketplace").field("granularityId", id).end_object();
  out.key("inventorySummaries").begin_array();
  for (std::int64_t i = offset; i < end; ++i) {
    const StockRow& row = rows[static_cast<std::size_t>(i)];
    out.begin_object().field("asin", row.asin).field("fnSku", row.fnsku).field("sellerSku", row.sku).field("condition", "NewItem");
    if (details) {
      out.key("inventoryDetails").begin_object().field("fulfillableQuantity", row.fulfillable).field("inboundWorkingQuantity", row.inbound_working).field("inboundShippedQuantity", row.inbound_shipped);
      out.field("inboundReceivingQuantity", row.inbound_receiving).key("reservedQuantity").begin_object().field("totalReservedQuantity", row.reserved());
      out.field("pendingCustomerOrderQuantity", row.reserved_orders).field("pendingTransshipmentQuantity", row.reserved_transfer).field("fcProcessingQuantity", row.reserved_processing).end_object();
      out.key("researchingQuantity").begin_object().field("totalResearchingQuantity", row.researching()).key("researchingQuantityBreakdown").begin_array();
      for (const auto& [name, quantity] : {std::pair{"researchingQuantityInShortTerm", row.research_short}, {"researchingQuantityInMidTerm", row.research_mid}, {"researchingQuantityInLongTerm", row.research_long}})
        out.begin_object().field("name", name).field("quantity", quantity).end_object();
      out.end_array().end_object().key("unfulfillableQuantity").begin_object().field("totalUnfulfillableQuantity", row.unfulfillable()).field("customerDamagedQuantity", row.customer_damaged);
      out.field("warehouseDamagedQuantity", row.warehouse_damaged).field("distributorDamagedQuantity", row.distributor_damaged).field("carrierDamagedQuantity", row.carrier_damaged);
      out.field("defectiveQuantity", row.defective).field("expiredQuantity", row.expired).end_object().end_object();
    }
    // By the SKU, so that it is the same however it is asked for.
    const auto hours = std::hash<std::string>{}(row.sku) % 100;
    if (hours % 7 != 0) out.field("lastUpdatedTime", format_seconds(s.settings().end - std::chrono::hours(hours)));
    out.field("productName", row.name).field("totalQuantity", row.total()).key("stores").begin_array().end_array().end_object();
  }
  out.end_array().end_object();
  if (end < static_cast<std::int64_t>(rows.size())) out.key("pagination").begin_object().field("nextToken", page_token("inventory", n, arguments, end)).end_object();
  return json(std::move(out.end_object()).text());
}

// ---- for those who test ----

std::string Simulator::truth(int n, bool lines) const {
  const Seller& s = seller(n);
  const Instant until = now() - kTooYoung;
  TruthSum v0, modern;
  const std::int64_t count = s.first_at(until);
  for (std::int64_t i = 0; i < count; ++i) {
    if (!shown(s, i)) continue;
    const Fact f = s.fact(i);
    const RenderedEvent e = render_v0(f, [&](const ToldAmount& a) { v0.add(a); });
    v0.event(e.list, e.order_id);
    for (const Micros amount : credited_lines(f)) v0.credit(std::string(f.marketplace->currency), amount);
  }
  for (const auto& [number, part] : visible_transactions(s, s.posted(0), until)) {
    const Fact f = s.fact(number);
    const RenderedTransaction t = render_2024(s, f, part, now(), [&](const ToldAmount& a) { modern.add(a); });
    modern.event(t.type, t.order_id);
    for (const Micros amount : credited_lines(f)) modern.credit(std::string(f.marketplace->currency), amount);
  }
  JsonWriter json;
  json.begin_object().field("seller", n).field("sellerId", s.id()).field("refreshToken", refresh_token(n)).field("asOf", now());
  json.key("marketplaces").begin_array();
  for (const Marketplace* m : s.marketplaces()) json.value(m->id);
  json.end_array();
  json.key("financialEvents");
  v0.write(json, lines);
  json.key("transactions");
  modern.write(json, lines);
  std::int64_t rows = 0, units = 0;
  json.key("inventory").begin_object().key("byMarketplace").begin_object();
  for (std::size_t m = 0; m < s.marketplaces().size(); ++m) {
    const auto list = stock(s, m);
    rows += static_cast<std::int64_t>(list.size());
    for (const StockRow& row : list) units += row.total();
    json.field(s.marketplaces()[m]->id, static_cast<std::int64_t>(list.size()));
  }
  json.end_object().field("rows", rows).field("units", units).end_object();
  inbound_truth(n, now(), json);
  std::string reports;
  reports_truth(n, now(), reports);
  json.field_raw("reports", reports);
  json.field_raw("planted", planted_truth(s.planted(), now()));
  return std::move(json.end_object()).text();
}

SimAnswer Simulator::truth_answer(const SimRequest& request) const {
  const int n = std::atoi(request.param("seller").c_str());
  if (n < 1 || n > settings_.sellers) return error(404, "NotFound", "There is no such seller; give ?seller=1 to " + std::to_string(settings_.sellers) + ".");
  return json(truth(n, request.param("lines") == "true"));
}

SimAnswer Simulator::stats_answer() const {
  JsonWriter out;
  std::int64_t calls = 0, throttled = 0;
  out.begin_object().key("operations").begin_object();
  for (const auto& [name, s] : stats_) {
    out.key(name).begin_object().field("calls", s.calls).field("ok", s.ok).field("throttled", s.throttled).field("refused", s.refused).end_object();
    calls += s.calls;
    throttled += s.throttled;
  }
  out.end_object().field("calls", calls).field("throttled", throttled).field("planViolations", throttled).field("now", now()).end_object();
  return json(std::move(out).text());
}

SimAnswer Simulator::control(const SimRequest& request) {
  const auto parsed = JsonDocument::parse(request.body);
  if (!parsed) return error(400, "InvalidInput", parsed.error().message);
  const Json c = parsed->root();
  if (const auto span = c["advanceSeconds"].integer()) advance(std::chrono::seconds(*span));
  if (c["clearFaults"].boolean().value_or(false)) clear_faults();
  if (const auto n = c["revoke"].integer()) revoke(static_cast<int>(*n));
  if (const auto skus = c["loseStock"]["skus"].integer()) lose_stock(static_cast<int>(c["loseStock"]["seller"].integer().value_or(1)), *skus);
  if (const auto skus = c["hideStock"]["skus"].integer()) hide_stock(static_cast<int>(c["hideStock"]["seller"].integer().value_or(1)), *skus);
  if (c["expireAccessTokens"].boolean().value_or(false))
    for (auto& [token, access] : access_) access.expires = now();
  if (!c["clientSecret"].is_null()) settings_.client_secret = std::string(c["clientSecret"].text());
  if (const auto on = c["autoApprove"].boolean()) settings_.auto_approve = *on;
  for (const Json f : c["faults"]) {
    Fault fault;
    fault.path = f["path"].is_string() ? std::string(f["path"].text()) : "/";
    fault.kind = f["kind"].is_string() ? std::string(f["kind"].text()) : "status";
    fault.status = static_cast<int>(f["status"].integer().value_or(500));
    fault.code = std::string(f["code"].text());
    fault.message = std::string(f["message"].text());
    fault.details = std::string(f["details"].text());
    fault.times = static_cast<int>(f["times"].integer().value_or(1));
    fault.after = static_cast<int>(f["after"].integer().value_or(0));
    fault.pages_only = f["pagesOnly"].boolean().value_or(false);
    fault.member = std::string(f["member"].text());
    fault.whole_path = f["wholePath"].boolean().value_or(false);
    fault.query_holds = std::string(f["queryHolds"].text());
    fault.body_holds = std::string(f["bodyHolds"].text());
    fault.method = std::string(f["method"].text());
    if (f["contentType"].is_string()) fault.content_type = std::string(f["contentType"].text());
    fault.wider_than = std::chrono::hours(f["widerThanHours"].integer().value_or(0));
    fault.all = f["all"].boolean().value_or(false);
    fault.delay = std::chrono::milliseconds(f["delayMs"].integer().value_or(0));
    add_fault(std::move(fault));
  }
  return json("{\"ok\":true}");
}

}  // namespace amzsim
