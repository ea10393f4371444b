// SPDX-License-Identifier: Apache-2.0
#include "world/checks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

namespace world {

std::string member(const std::string& json, std::initializer_list<std::string_view> names) {
  const auto document = JsonDocument::parse(json);
  if (!document) return "not JSON: " + json;
  Json value = document->root();
  for (const std::string_view name : names) value = value[name];
  if (const auto flag = value.boolean()) return *flag ? "true" : "false";
  return std::string(value.text());
}

amzsim::Fault trouble(const std::string& path, const std::string& kind, int status, int times, int after) {
  amzsim::Fault f;
  f.path = path;
  f.kind = kind;
  f.status = status;
  f.times = times;
  f.after = after;
  return f;
}

bool all_over(World& world) { return world.count("SELECT count(*) FROM runs WHERE status IN ('queued','in_progress','detecting')") == 0; }

std::string sync_again(World& world, Process& process, int seller) {
  const auto again = world.wait(process.engine().triggers().start(world.user(seller), ""));
  REQUIRE(again);
  return world.finish(process, world.user(seller), again->id);
}

void check_seller(World& world, Process& process, int seller) {
  const World::Look look(world);
  const bool v0 = world.settings().finances_v0;
  const std::string user = world.user(seller).text();
  const JsonDocument truth = world.truth(seller, true);
  const Json money = truth[v0 ? "financialEvents" : "transactions"];
  const std::string rows_view = v0 ? "amz_financial_events" : "amz_transactions";
  const std::string lines_view = v0 ? "amz_financial_event_lines" : "amz_transaction_lines";
  const std::string list = v0 ? "event_list" : "transaction_type";
  const std::string mine = " WHERE user_id='" + user + "'";

  // Rows, by list.
  CHECK(world.count("SELECT count(*) FROM " + rows_view + mine) == money["rows"].integer());
  for (const Json expected : money["byList"]) {
    CAPTURE(std::string(expected.name()));
    CHECK(world.count("SELECT count(*) FROM " + rows_view + mine + " AND " + list + "='" + std::string(expected.name()) + "'") == expected.integer());
  }

  // Every amount: how many of each place, type and currency, and their exact sum.
  std::map<std::string, std::pair<std::int64_t, std::string>> stored;
  for (const auto& row : world.sql("SELECT " + list + ", path, line_type, currency, count(*), sum(amount_micros) FROM " + lines_view + mine + " GROUP BY 1, 2, 3, 4"))
    stored[row[0] + "|" + row[1] + "|" + row[2] + "|" + row[3]] = {std::atoll(row[4].c_str()), format_micros(Micros{std::atoll(row[5].c_str())})};
  std::size_t expected_shapes = 0;
  for (const Json line : money["lines"]) {
    const auto text = [&](std::string_view name) { return std::string(line[name].text()); };
    const std::string key = text("list") + "|" + text("path") + "|" + text("type") + "|" + text("currency");
    CAPTURE(key);
    ++expected_shapes;
    REQUIRE(stored.contains(key));
    CHECK(stored[key].first == line["count"].integer());
    CHECK(stored[key].second == line["sum"].text());
  }
  CHECK(stored.size() == expected_shapes);
  // What is no total adds up to what the totals say: nothing is counted twice. (v0 has no total for the whole event.)
  if (!v0)
    CHECK(world.sql("SELECT currency, sum(amount_micros) FROM " + lines_view + mine + " AND kind='component' GROUP BY 1 ORDER BY 1") ==
          world.sql("SELECT currency, sum(amount_micros) FROM " + rows_view + mine + " GROUP BY 1 ORDER BY 1"));

  // Stock.
  CHECK(world.count("SELECT count(*) FROM amz_inventory" + mine) == truth["inventory"]["rows"].integer());
  CHECK(world.count("SELECT sum(total_quantity) FROM amz_inventory" + mine) == truth["inventory"]["units"].integer());
  CHECK(world.count("SELECT count(*) FROM amz_quarantine" + mine) == 0);

  // Shipments to Amazon, where they are read.
  const auto& named = world.settings().streams;
  const auto is_read = [&named](const std::string& stream) { return named.empty() || std::find(named.begin(), named.end(), stream) != named.end(); };
  if (const Json inbound = truth["inbound"]; is_read("inbound")) {
    CHECK(world.count("SELECT count(*) FROM amz_inbound_shipments" + mine) == inbound["shipments"].integer());
    CHECK(world.count("SELECT count(*) FROM amz_inbound_items" + mine) == inbound["items"].integer());
    CHECK(world.count("SELECT sum(quantity_shipped) FROM amz_inbound_items" + mine) == inbound["shipped"].integer());
    CHECK(world.count("SELECT sum(quantity_received) FROM amz_inbound_items" + mine) == inbound["received"].integer());
    for (const Json status : inbound["byStatus"])
      CHECK(world.count("SELECT count(*) FROM amz_inbound_shipments" + mine + " AND status='" + std::string(status.name()) + "'") == status.integer());
  }

  // Reports.
  for (const Json report : truth["reports"]) {
    const std::string stream(report.name());
    if (!is_read(stream)) continue;
    CAPTURE(stream);
    CHECK(world.count("SELECT count(*) FROM amz_" + stream + mine) == report["rows"].integer());
    // Amounts and units, by the column that the simulator sums.
    static const std::map<std::string, std::string> kAmounts{{"reimbursements", "amount_micros"}, {"removals", "removal_fee_micros"}, {"storage_fees", "monthly_fee_micros"},
                                                             {"fee_preview", "expected_fulfillment_fee_micros"}, {"settlements", "amount_micros"}};
    static const std::map<std::string, std::string> kUnits{{"ledger", "quantity"}, {"ledger_summary", "ending_balance"}, {"returns", "quantity"}, {"removals", "requested_quantity"}, {"managed_inventory", "afn_total"}};
    if (const auto amount = kAmounts.find(stream); amount != kAmounts.end())
      for (const Json expected : report["amounts"]) {
        CAPTURE(std::string(expected.name()));
        CHECK(format_micros(Micros{world.count("SELECT sum(" + amount->second + ") FROM amz_" + stream + mine + " AND currency='" + std::string(expected.name()) + "'")}) == expected.text());
      }
    if (const auto units = kUnits.find(stream); units != kUnits.end()) CHECK(world.count("SELECT sum(" + units->second + ") FROM amz_" + stream + mine) == report["quantity"].integer());
  }

  // Recoveries, to the cent and per currency.
  const std::string answer = world.recoveries(process, world.user(seller));
  const auto document = JsonDocument::parse(answer);
  REQUIRE(document);
  std::string told, expected;
  append_canonical(told, (*document)["totals"]);
  append_canonical(expected, money["recoveries"]);
  CHECK(told == expected);
}

void check_truth(World& world, Process& process, int seller) {
  check_seller(world, process, seller);
  check_runs(world);
}

void check_life(WorldSettings settings, int seller) {
  settings.amazon.goes_on = true;
  World world(settings);
  Process* process = &world.open();
  const auto sync = [&] {
    const std::string run = sync_again(world, *process, seller);
    CAPTURE(run);
    CHECK(member(run, "status") == "completed");
    return run;
  };
  const auto nothing_written = [&](const std::string& run) {
    const auto document = JsonDocument::parse(run);
    REQUIRE(document);
    for (const Json stream : (*document)["streams"]) {
      CAPTURE(std::string(stream["name"].text()));
      for (const char* count : {"added", "changed", "removed", "rejected"}) CHECK(stream[count].integer() == 0);
    }
  };
  CHECK(member(world.sync_seller(*process, seller), "status") == "completed");
  check_truth(world, *process, seller);
  nothing_written(sync());

  // What makes a row the row it is, and its number.
  const std::vector<std::string> numbered{settings.finances_v0 ? "SELECT event_id, hex(identity), occurrence, day FROM financial_events" : "SELECT event_id, native_id, day FROM transactions",
                                          "SELECT row_id, hex(identity), occurrence, day FROM ledger", "SELECT row_id, shipment_id, seller_sku FROM inbound_items",
                                          "SELECT row_id, settlement_id, line FROM settlements"};
  std::vector<std::vector<std::vector<std::string>>> before;
  const auto rows_of = [&](const std::string& rows) {
    auto all = world.sql(rows);
    std::sort(all.begin(), all.end());
    return all;
  };
  for (const std::string& rows : numbered) before.push_back(rows_of(rows));
  for (const int hours : {26, 30, 24 * 6, 24 * 20}) {
    CAPTURE(hours);
    process = &world.pass(*process, std::chrono::hours(hours));
    // Amazon's side changes at half past an hour.
    world.run_for(std::chrono::ceil<std::chrono::hours>(world.clock().now()) - world.clock().now());
    sync();
    check_truth(world, *process, seller);
    nothing_written(sync());
    for (std::size_t i = 0; i < numbered.size(); ++i) {
      CAPTURE(numbered[i]);
      auto now = rows_of(numbered[i]);
      CHECK(std::includes(now.begin(), now.end(), before[i].begin(), before[i].end()));
      before[i] = std::move(now);
    }
  }
  for (const auto& rows : before) CHECK((settings.amazon.events < 300 || !rows.empty()));
}

void check_runs(World& world) {
  const World::Look look(world);
  // Of older runs some events are trimmed already.
  const auto kept_since = std::to_string(to_us(world.clock().now() - std::chrono::hours(24 * 6)));
  for (const auto& run : world.sql("SELECT r.run_no, r.user_no, r.sync_id, r.status FROM runs r WHERE r.created_at>" + kept_since + " ORDER BY r.run_no")) {
    const std::string& id = run[2];
    CAPTURE(id);
    std::vector<std::int64_t> milestones;
    std::vector<std::string> messages;
    int started = 0, detected = 0, terminal = 0;
    bool after_terminal = false;
    for (const auto& event : world.sql("SELECT type, payload FROM journal WHERE user_no=" + run[1] + " ORDER BY seq")) {
      if (member(event[1], "syncId") != id) continue;
      if (terminal > 0) after_terminal = true;
      if (event[0] == "sync.started") ++started;
      if (event[0] == "detection.completed") ++detected;
      if (event[0] == "sync_progress") {
        milestones.push_back(std::atoll(member(event[1], "progress").c_str()));
        messages.push_back(member(event[1], "message"));
      }
      if (event[0] == "sync.completed" || event[0] == "sync.failed" || event[0] == "sync.cancelled") {
        ++terminal;
        CHECK(member(event[1], "status") == run[3]);
      }
    }
    CHECK(started == 1);
    CHECK(detected <= 1);
    CHECK(!after_terminal);
    const bool over = run[3] == "completed" || run[3] == "partial" || run[3] == "failed" || run[3] == "cancelled";
    CHECK(terminal == (over ? 1 : 0));
    const std::vector<std::int64_t> all{10, 30, 60, 90, 100};
    const std::vector<std::string> texts{"Starting sync", "Fetching inventory", "Processing data", "Finalizing", "Complete"};
    REQUIRE(milestones.size() <= all.size());
    for (std::size_t i = 0; i < milestones.size(); ++i) {
      CHECK(milestones[i] == all[i]);
      CHECK(messages[i] == texts[i]);
    }
    if (run[3] == "completed" || run[3] == "partial") CHECK(milestones.size() == all.size());
  }
  // At most one active run per user, ever; nothing passes by when nothing runs.
  CHECK(world.count("SELECT count(*) FROM (SELECT user_no FROM runs WHERE status IN ('queued','in_progress','detecting') GROUP BY user_no HAVING count(*)>1) AS d") == 0);
  CHECK(world.count("SELECT count(*) FROM run_progress p JOIN runs r ON r.run_no=p.run_no WHERE r.status NOT IN ('queued','in_progress','detecting')") == 0);
  // Cells count their rows.
  for (const auto& [stream, table] : {std::pair<std::string, std::string>{"transactions", "transactions"}, {"financial_events", "financial_events"}})
    CHECK(world.count("SELECT count(*) FROM cells c WHERE stream='" + stream + "' AND row_count<>(SELECT count(*) FROM " + table +
                      " t WHERE t.user_no=c.user_no AND t.day=c.day AND t.continues IS NULL)") == 0);
}

}  // namespace world
