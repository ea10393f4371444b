// SPDX-License-Identifier: Apache-2.0
// Amazon as far as this library talks to it: the token endpoint, the consent page, and the Selling Partner API, with its usage
// plans, page tokens and refusals. No I/O: a request goes in, an answer and how it is to be delivered come out, so the same
// code runs inside a test process and behind a socket.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "sim/facts.hpp"
#include "sim/inbound.hpp"
#include "sim/planted.hpp"
#include "sim/render.hpp"
#include "sim/reports.hpp"

namespace amzsim {

struct SimRequest {
  std::string method = "GET";
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::map<std::string, std::string> headers;   ///< names in small letters
  std::string body;

  std::string param(std::string_view name) const;
  bool has_param(std::string_view name) const;
  std::string header(const std::string& name) const;
};

struct SimAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  enum class Delivery : std::uint8_t { whole, cut, drop, hang };
  Delivery delivery = Delivery::whole;
  Duration delay{};
};

struct SimSettings {
  std::uint64_t seed = 7;
  int sellers = 3;
  std::int64_t events = 5'000;
  std::int64_t skus = 500;
  int history_days = 540;
  bool goes_on = false;           ///< sellers go on selling while the clock moves
  Region region = Region::na;
  double rate_scale = 1.0;        ///< all plans times this; 0: no limits
  std::int64_t title_bytes = 0;   ///< product names in reports are at least so long
  double foreign_use = 0;         ///< part of every plan that another application of the seller's uses up; 0 to 1
  bool auto_approve = false;
  bool seams = true;              ///< every third page repeats the end of the one before
  bool blocks = false;            ///< transactions come in blocks, by date within each only
  int late_every = 0;             ///< every so manyth event shows up late, by:
  Duration late_by{};
  int planted = 0;                ///< labelled cases of every seller (planted.hpp)
  bool planted_blank_columns = false;     ///< Amazon's reconciled and unreconciled quantities are left out of the ledger
  std::vector<std::string> planted_rules; ///< only cases of these rules; empty: of all
  std::string client_id, client_secret;   ///< empty: any
  std::int64_t rows_per_page = 0; ///< pages hold no more; 0: as many as Amazon's
  std::string base_url;           ///< where this simulator is reached, for the addresses of documents
  Duration report_time = std::chrono::seconds(40);   ///< until a report is done; divided by rate_scale, none without limits
};

/// A fault on demand: calls whose path starts with `path` misbehave.
struct Fault {
  std::string path;               ///< "/" for all, "/auth" for the token endpoint
  /// status, html, truncate, drop, hang, empty, empty_page (with a token to what was asked for), token_loop (`message`: the token), page_loop,
  /// last_page_again, token_expired, wrong_type (amounts that end in 13, or all, as strings), omit (one member of the answer), body
  /// (`message`, as `content_type`, with `body_status`); of a report that is asked for: report_cancelled, report_fatal, report_stuck (is never finished),
  /// report_moved (its days are not those that were asked for), report_short (it ends a day before that)
  std::string kind;
  int status = 500;
  std::string code, message, details;
  std::string method;             ///< empty: any
  std::string content_type = "text/plain";
  int body_status = 200;
  Duration wider_than{};          ///< only calls that ask for the money of more than this; 0: all
  int times = 1;                  ///< how many calls; -1: until taken back
  int after = 0;                  ///< calls that still go well
  bool pages_only = false;        ///< only calls with a page token
  Duration delay{};
  bool whole_path = false;        ///< only calls whose path is `path`
  std::string member;             ///< of "omit": its name
  std::string query_holds;        ///< only calls with a parameter that holds this
  std::string body_holds;         ///< only calls whose body holds this
  bool all = false;               ///< of "wrong_type": every amount
};

class Simulator {
 public:
  /// `now` is asked at every call; the control endpoint moves the simulator's clock against it.
  Simulator(SimSettings settings, std::function<Instant()> now);

  SimAnswer handle(const SimRequest& request);

  // For tests that hold the simulator in their process.
  void add_fault(Fault fault);
  void clear_faults();
  void advance(Duration by);
  void revoke(int seller);
  /// So many more SKUs of a seller are shown no longer.
  void lose_stock(int seller, std::int64_t skus);
  /// So many of a seller's SKUs never come in the list of stock, though they have stock; asked for by name they do (facts I3).
  void hide_stock(int seller, std::int64_t skus);
  const Seller& seller(int number) const;
  Instant now() const;
  /// Calls per operation so far, and how many broke a usage plan.
  struct OperationStats {
    std::int64_t calls = 0, ok = 0, throttled = 0, refused = 0;
  };
  std::map<std::string, OperationStats> stats() const;
  std::string truth(int seller, bool lines) const;
  std::string refresh_token(int seller) const;

 private:
  struct Plan {
    std::string_view operation;
    double rate;
    int burst;
  };
  struct Bucket {
    double level = 0;
    Instant as_of{};
  };
  struct Access {
    int seller = 0;
    Instant expires{};
    std::string scope;            ///< of a grantless token
  };
  struct Code {
    int seller = 0;
    Instant expires{};
    std::string redirect_uri;
    bool used = false;
  };

  SimAnswer route(const SimRequest& request);
  SimAnswer token_endpoint(const SimRequest& request);
  SimAnswer consent_page(const SimRequest& request);
  SimAnswer api(const SimRequest& request);
  SimAnswer control(const SimRequest& request);
  SimAnswer stats_answer() const;
  SimAnswer truth_answer(const SimRequest& request) const;

  SimAnswer participations(int seller, const SimRequest& request);
  SimAnswer transactions(int seller, const SimRequest& request);
  SimAnswer financial_events(int seller, const SimRequest& request);
  SimAnswer inventory(int seller, const SimRequest& request);

  // Shipments to Amazon (inbound_desk.cpp).
  SimAnswer inbound_shipments(int seller, const SimRequest& request);
  SimAnswer inbound_items(int seller, const SimRequest& request);
  SimAnswer inbound_items_of_shipment(int seller, const SimRequest& request);
  std::vector<Shipment> shipments_asked_for(int seller, const SimRequest& request, std::string& refusal) const;
  bool go_on(SimRequest& request, std::int64_t& skip) const;
  std::string remember_list(const SimRequest& request, std::int64_t shown);
  void inbound_truth(int seller, Instant until, amzsync::base::JsonWriter& json) const;

  // The report service (report_desk.cpp).
  struct Report {
    int seller = 0;
    const ReportKind* kind = nullptr;
    std::string id, document;
    std::vector<std::string> marketplaces;
    Instant from{}, until{}, created{};
    enum class Fate : std::uint8_t { done, no_data, too_soon, fatal, stuck } fate = Fate::done;
    std::string why;              ///< of a fatal one
  };
  SimAnswer create_report(int seller, const SimRequest& request);
  SimAnswer get_report(int seller, const SimRequest& request);
  SimAnswer get_reports(int seller, const SimRequest& request);
  SimAnswer get_report_document(int seller, const SimRequest& request);
  SimAnswer document(const SimRequest& request);
  std::vector<Report> reports_of(int seller) const;
  std::string_view status_of(const Report& report) const;
  std::string report_json(const Report& report) const;
  void reports_truth(int seller, Instant until, std::string& json) const;

  /// What is shown of a seller's stock in one of its marketplaces.
  std::int64_t page_of_most(std::int64_t amazons) const { return settings_.rows_per_page > 0 ? std::min(settings_.rows_per_page, amazons) : amazons; }
  bool admit(const Plan& plan, int seller);
  std::optional<Fault> fault_for(const SimRequest& request);
  std::string new_access_token(Access access);
  std::string page_token(std::string_view operation, int seller, const std::string& arguments, std::int64_t offset);
  struct PagePlace {
    std::int64_t offset = 0;
    std::string fault;            ///< why the token is no good
  };
  PagePlace read_token(std::string_view operation, int seller, const std::string& arguments, const std::string& token, Duration life);
  static SimAnswer error(int status, std::string_view code, std::string_view message, std::string_view details = "");
  static SimAnswer token_error(int status, std::string_view code, std::string_view description);
  static SimAnswer json(std::string body);

  /// Whether an event that was posted shows up yet.
  bool shown(const Seller& s, std::int64_t number) const;
  /// Transactions of a fact that are visible now, as (number, part) sorted by their posted date.
  std::vector<std::pair<std::int64_t, Part>> visible_transactions(const Seller& s, Instant from, Instant until) const;

  mutable std::recursive_mutex mutex_;
  SimSettings settings_;
  std::function<Instant()> clock_;
  Duration moved_{};
  std::vector<Seller> sellers_;
  std::map<std::string, Access> access_;
  std::map<std::string, Code> codes_;
  std::set<int> revoked_;
  std::set<int> approved_;
  std::map<int, std::int64_t> hidden_stock_;
  std::map<std::pair<std::string, int>, Bucket> buckets_;
  std::map<std::string, OperationStats> stats_;
  std::deque<Fault> faults_;
  Random random_;
  std::int64_t request_number_ = 0;
  std::vector<Report> reports_;
  std::map<std::string, std::pair<SimRequest, std::int64_t>> list_tokens_;   // what was asked for, and how much of it was shown
  std::map<int, Instant> settlements_listed_;                                // of which seller, since when
};

}  // namespace amzsim
