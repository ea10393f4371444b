// SPDX-License-Identifier: Apache-2.0
// amzsync: the command line. Every command opens the database itself, so it works with and without a host running on it.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>

#include "cli/completion.hpp"
#include "cli/progress.hpp"
#include "common/export.hpp"
#include "common/memory.hpp"
#include "common/settings.hpp"
#include "common/terminal.hpp"

namespace {

using Json = nlohmann::ordered_json;

constexpr int kDone = 0, kFailed = 1, kUsage = 2, kPartial = 3;

/// In one piece, as what the log says meanwhile comes from another thread.
void complain(const std::string& line) { std::cerr << "amzsync: " + line + "\n"; }

int failed(const std::string& line) {
  complain(line);
  return kFailed;
}
/// A command whose words were lost, as on a full disk, is not done.
int said(int code) {
  std::cout.flush();
  return std::cout || code != kDone ? code : failed("the output can't be written");
}
/// What the library calls a wrong argument came from the command line.
int failed(const amzsync::Failure& f) {
  failed(f.message());
  return f.code() == AMZSYNC_ERROR_INVALID_ARGUMENT ? kUsage : kFailed;
}

/// "3.2" reads as a mistake where "3.20" is meant; a whole number is left as it is, for not every currency has cents.
std::string money(const Json& amount, const std::string& currency) {
  std::string text = amount.dump();
  if (text.size() >= 2 && text[text.size() - 2] == '.') text += '0';
  return text + " " + currency;
}

struct Command {
  std::string finding_status, finding_type, explain, kind, file, from, to;
  bool claims = false;
  amzsync_tools::Settings settings;
  std::string user, refresh_token_file, selling_partner_id, streams, format = "ndjson";
  std::optional<std::int64_t> since;
  bool json = false, by_month = false, all = false;
  int limit = 10;
  std::int64_t offset = 0;
};

/// Opens the engine; a process that performs no syncs unless `working`.
amzsync::Expected<amzsync::Engine> open_engine(const Command& c, bool working, std::string& wrong_setting) {
  amzsync::Options options;
  if (const auto wrong = amzsync_tools::apply(c.settings, options)) {
    wrong_setting = wrong->line;
    return amzsync::Failure(AMZSYNC_ERROR_SETTING_INVALID, nullptr);
  }
  if (const auto set = options.set_max_runs(working ? 10'000 : 0); !set) return set.error();
  auto engine = amzsync::Engine::open(options);
  if (!engine) wrong_setting = "AMZSYNC_STORE is '" + amzsync_tools::without_password(c.settings.store) + "': " + engine.error().message();
  return engine;
}

int connect(const Command& c, amzsync::Engine& engine) {
  std::ifstream file(c.refresh_token_file);
  std::string token;
  if (!(file >> token)) return failed("--refresh-token-file is '" + c.refresh_token_file + "', which can't be read or is empty; it must hold the refresh token");
  const auto connected = engine.connect(c.user, token, c.selling_partner_id);
  if (!connected) return failed(connected.error());
  if (c.json) {
    std::cout << connected->json() << "\n";
  } else {
    std::cout << "Connected " << c.user << "; sync " << connected->sync_id() << (connected->triggered() ? " is queued.\n" : " goes on.\n");
  }
  return kDone;
}

/// Says that a sync waits for somebody to resume it, once while it does.
class PauseNotice {
 public:
  void look(const std::string& user, amzsync::Engine& engine, amzsync_cli::Progress& bar) {
    const auto now = engine.status(user);
    const bool paused = now && Json::parse(now->json()).value("paused", false);
    if (paused && !std::exchange(told_, paused)) {
      bar.clear();
      std::cerr << "amzsync: syncing is paused; this sync goes on when it is resumed (amzsync resume --user " << user << ", or --all where everybody is paused)\n";
    }
    told_ = paused;
  }

 private:
  bool told_ = false;
};

/// Waits for a sync and shows how it goes on; its document in the end.
amzsync::Expected<Json> wait_for(const std::string& user, const std::string& id, amzsync::Engine& engine, amzsync::Events& events) {
  amzsync_cli::Progress bar;
  PauseNotice pause;
  bool first = true;
  for (;;) {
    const auto now = engine.sync_status(user, id);
    if (!now) return now.error();
    const std::string_view status = now->status();
    Json document = Json::parse(now->json());
    if (status == "completed" || status == "partial" || status == "failed" || status == "cancelled") {
      if (document["progress"] == 100) bar.show(document);
      bar.clear();
      return document;
    }
    // One that is under way already is shown where it is.
    if (std::exchange(first, false)) {
      if (document["progress"] > 0) bar.show(document);
      pause.look(user, engine, bar);
    }
    auto event = events.next(std::chrono::seconds(5));
    if (!event) return event.error();
    if (!*event || (*event)->type() == "sync.paused") pause.look(user, engine, bar);
    // Passing progress lives in the event alone; everything else is in the run's row.
    if (*event && (*event)->type() == "sync_progress") {
      const Json payload = Json::parse((*event)->json());
      if (payload["syncId"] == id) bar.show(payload);
    }
  }
}

/// The run that began when this one ended; empty: none did.
amzsync::Expected<std::string> run_after(const std::string& user, const std::string& id, amzsync::Engine& engine) {
  constexpr std::int64_t kAtOnce = 100;
  std::string after;
  for (std::int64_t offset = 0;; offset += kAtOnce) {
    const auto page = engine.history(user, kAtOnce, offset);
    if (!page) return page.error();
    const Json document = Json::parse(page->json());
    for (const Json& run : document["syncs"]) {   // the newest first
      if (run["syncId"] == id) return after;
      after = run["syncId"].get<std::string>();
    }
    if (document["syncs"].empty()) return std::string();
  }
}

using Begin = amzsync::Expected<amzsync::Answer> (amzsync::Engine::*)(const std::string&, const std::string&);

/// Whether a sync that is over read, or failed to read, all these datasets.
bool is_of(const Json& document, std::string streams) {
  if (document["status"] == "failed" || document["status"] == "cancelled") return true;
  std::erase(streams, ' ');
  std::istringstream names(streams);
  for (std::string name; std::getline(names, name, ',');)
    if (!name.empty() && std::none_of(document["streams"].begin(), document["streams"].end(), [&](const Json& s) { return s["name"] == name; })) return false;
  return true;
}

/// Begins what the command asks for, and waits until nothing but that is in its way: the sync that reads it.
amzsync::Expected<std::string> own_run(const Command& c, amzsync::Engine& engine, Begin begin, amzsync::Events& events) {
  for (;;) {
    const auto run = (engine.*begin)(c.user, c.streams);
    if (!run) return run.error();
    std::string id(run->sync_id());
    if (Json::parse(run->json()).value("runsAgain", false)) {
      // What is under way is of what others asked for: the run that follows reads what was asked for here.
      if (const auto other = wait_for(c.user, id, engine, events); !other) return other.error();
      auto after = run_after(c.user, id, engine);
      if (!after || after->empty()) return after;
      // Where the account was disconnected and connected again in between, what follows is the new connection's.
      const auto followed = wait_for(c.user, *after, engine, events);
      if (!followed) return followed.error();
      if (is_of(*followed, c.streams)) return after;
      continue;
    }
    if (c.streams.empty() || run->triggered()) return id;
    // It reads the datasets that were named here too, and how it ends depends on others.
    if (const auto other = wait_for(c.user, id, engine, events); !other) return other.error();
  }
}

/// Starts a sync or a replay, waits for it and says how it ended.
int perform(const Command& c, amzsync::Engine& engine, Begin begin, const char* what) {
  const auto start = std::chrono::steady_clock::now();
  auto events = engine.events(c.user, AMZSYNC_EVENTS_LIVE);
  if (!events) return failed(events.error());
  const auto own = own_run(c, engine, begin, *events);
  if (!own) return failed(own.error());
  const std::string& id = *own;
  if (id.empty()) return failed("no sync followed the one that was under way: the account was disconnected meanwhile");
  const auto ended = wait_for(c.user, id, engine, *events);
  if (!ended) return failed(ended.error());
  const Json& document = *ended;
  const std::string status = document["status"];
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (c.json) {
    Json last{{"syncId", id}, {"status", status}, {"wallSeconds", seconds}, {"calls", document["calls"]}, {"streams", document["streams"]}};
    if (document.contains("error")) last["error"] = document["error"];
    std::cout << last.dump() << "\n";
  } else {
    std::cout << what << " " << id << " " << status << " after " << static_cast<int>(seconds + 0.5) << " s and " << document["calls"] << " calls.\n";
    for (const Json& s : document["streams"])
      std::cout << "  " << s["name"].get<std::string>() << ": " << s["status"].get<std::string>() << ", " << s["fetched"] << " rows read, " << s["added"] << " new, " << s["changed"]
                << " changed, " << s["removed"] << " gone\n";
    if (document.contains("error")) complain(document["error"]["message"].get<std::string>());
  }
  return status == "completed" ? kDone : status == "partial" ? kPartial : kFailed;
}

int sync(const Command& c, amzsync::Engine& engine) { return perform(c, engine, &amzsync::Engine::sync_start, "Sync"); }
int replay(const Command& c, amzsync::Engine& engine) { return perform(c, engine, &amzsync::Engine::replay, "Replay"); }

/// Of one user, or of everybody.
int say_paused(const Command& c, bool paused, std::string_view how) {
  if (c.json) {
    std::cout << Json{{"paused", paused}, {"userId", c.user.empty() ? Json() : Json(c.user)}}.dump() << "\n";
  } else {
    std::cout << "Syncing of " << (c.user.empty() ? "everybody" : c.user) << how << "\n";
  }
  return kDone;
}

int pause_syncs(const Command& c, amzsync::Engine& engine) {
  const auto done = engine.pause(c.user, "command line");
  return done ? say_paused(c, true, " is paused.") : failed(done.error());
}

int resume_syncs(const Command& c, amzsync::Engine& engine) {
  const auto done = engine.resume(c.user, "command line");
  if (!done) return failed(done.error());
  if (c.user.empty()) return say_paused(c, false, " is resumed.");
  const auto now = engine.status(c.user);
  if (!now) return failed(now.error());
  const bool paused = Json::parse(now->json()).value("paused", false);
  return say_paused(c, paused, paused ? " goes on when everybody is resumed (amzsync resume --all)." : " is resumed.");
}

int status(const Command& c, amzsync::Engine& engine) {
  const auto found = engine.status(c.user);
  if (!found) return failed(found.error());
  const auto connection = engine.connection(c.user);
  if (!connection) return failed(connection.error());
  if (c.json) {
    std::cout << found->json() << "\n";
    return kDone;
  }
  const Json document = Json::parse(found->json());
  const Json link = Json::parse(connection->json());
  std::cout << "Connection: " << link["state"].get<std::string>() << "\n";
  if (document.value("paused", false)) std::cout << "Paused by " << document["pausedBy"].get<std::string>() << " since " << document["pausedAt"].get<std::string>() << "\n";
  if (document["lastSync"].is_null()) {
    std::cout << "No sync yet.\n";
    return kDone;
  }
  const Json& run = document["lastSync"];
  std::cout << "Sync " << run["syncId"].get<std::string>() << ": " << run["status"].get<std::string>() << ", " << run["progress"] << "% " << run["message"].get<std::string>() << "\n";
  if (run.contains("error")) std::cout << "  " << run["error"]["message"].get<std::string>() << "\n";
  return kDone;
}

int history(const Command& c, amzsync::Engine& engine) {
  const auto found = engine.history(c.user, c.limit, c.offset);
  if (!found) return failed(found.error());
  if (c.json) {
    std::cout << found->json() << "\n";
    return kDone;
  }
  const Json document = Json::parse(found->json());
  for (const Json& run : document["syncs"])
    std::cout << run["createdAt"].get<std::string>() << "  " << run["status"].get<std::string>() << "  " << run["syncId"].get<std::string>() << "  " << run["ordersProcessed"] << " orders, "
              << run["inventoryCount"] << " SKUs, " << run["feesCount"] << " fees\n";
  std::cout << document["syncs"].size() << " of " << document["total"] << "\n";
  return kDone;
}

int findings(const Command& c, amzsync::Engine& engine) {
  const auto found = c.explain.empty() ? engine.findings(c.user, c.finding_status, c.finding_type, 1'000) : engine.explain(c.user, c.explain);
  if (!found) return failed(found.error());
  if (c.json) {
    std::cout << found->json() << "\n";
    return kDone;
  }
  const Json document = Json::parse(found->json());
  for (const Json& f : document["findings"]) {
    std::cout << f["deadline"].get<std::string>() << "  " << f["readiness"].get<std::string>() << "  " << f["rule"].get<std::string>() << "  ";
    if (f["quantity"] != 0) std::cout << f["quantity"] << (f["quantity"] == 1 ? " unit  " : " units  ");
    std::cout << (f["amount"].is_null() ? std::string("priced by Amazon") : money(f["amount"], f["currency"].get<std::string>()));
    for (const char* key : {"sku", "orderId", "shipmentId", "removalOrderId"})
      if (f.contains(key)) std::cout << "  " << f[key].get<std::string>();
    if (f.contains("blocked")) std::cout << "  (" << f["blocked"].get<std::string>() << ")";
    std::cout << "\n";
  }
  if (document.contains("notClaimed"))
    for (const Json& n : document["notClaimed"]) std::cout << "not " << n["rule"].get<std::string>() << ": " << n["reason"].get<std::string>() << " (" << n["table"].get<std::string>() << " row " << n["row"] << ")\n";
  for (const Json& r : document["rules"])
    if (r["state"] == "blocked") std::cout << "blocked: " << r["rule"].get<std::string>() << ": " << r["reason"].get<std::string>() << "\n";
  if (c.explain.empty()) std::cout << document["findings"].size() << " of " << document["total"] << "\n";
  return kDone;
}

int supply(const Command& c, amzsync::Engine& engine) {
  std::ifstream file(c.file, std::ios::binary);
  if (!file) {
    complain(c.file + " can't be read");
    return kUsage;
  }
  const std::string rows((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto done = engine.supply(c.user, c.kind, rows);
  if (!done) return failed(done.error());
  return kDone;
}

int erase(const Command& c, amzsync::Engine& engine) {
  const auto receipt = engine.erase(c.user, "the command line");
  if (!receipt) return failed(receipt.error());
  const Json document = Json::parse(receipt->json());
  if (c.json) {
    std::cout << document.dump() << "\n";
    return kDone;
  }
  if (!document["known"].get<bool>()) {
    std::cout << "Nothing is stored of a user " << c.user << ".\n";
    return kDone;
  }
  for (const auto& [table, rows] : document["rows"].items()) std::cout << "  " << table << ": " << rows << "\n";
  std::cout << document["total"] << " rows of " << c.user << " were deleted" << (document["state"] == "erased" ? "" : "; not over yet:") << "\n";
  for (const Json& what : document["pending"]) std::cout << "  " << what.get<std::string>() << "\n";
  std::cout << "Out of reach:\n";
  for (const Json& what : document["outOfReach"]) std::cout << "  " << what.get<std::string>() << "\n";
  return kDone;
}

int rotate_key(const Command& c, amzsync::Engine& engine) {
  const auto done = engine.rotate_key();
  if (!done) return failed(done.error());
  const Json document = Json::parse(done->json());
  const Json& unreadable = document["unreadable"];
  if (c.json) {
    std::cout << document.dump() << "\n";
  } else {
    std::cout << document["secrets"] << " secrets are stored; " << document["resealed"] << " of them were sealed anew with the key " << document["key"].get<std::string>() << ".\n";
    if (document["restored"] != 0) std::cout << document["restored"] << " connections, whose token no key had opened, work again.\n";
    if (unreadable.empty()) std::cout << "The other keys can be taken out of AMZSYNC_MASTER_KEY, on every host.\n";
  }
  if (unreadable.empty()) return kDone;
  std::string users;
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(unreadable.size(), kShown); ++i) users += (users.empty() ? "" : ", ") + unreadable[i].get<std::string>();
  if (unreadable.size() > kShown) users += " and " + std::to_string(unreadable.size() - kShown) + " more";
  return failed("no key of AMZSYNC_MASTER_KEY opens the tokens of " + users + "; add the key that sealed them, or have them connect again");
}

int recoveries(const Command& c, amzsync::Engine& engine) {
  const auto found = engine.recoveries(c.user, c.by_month);
  if (!found) return failed(found.error());
  if (c.json) {
    std::cout << found->json() << "\n";
    return kDone;
  }
  const Json document = Json::parse(found->json());
  for (const Json& t : document["totals"]) std::cout << money(t["amount"], t["currency"].get<std::string>()) << " in " << t["count"] << " reimbursements\n";
  if (c.by_month)
    for (const Json& m : document["months"]) std::cout << "  " << m["month"].get<std::string>() << "  " << money(m["amount"], m["currency"].get<std::string>()) << "\n";
  std::cout << document["message"].get<std::string>() << "\n";
  return kDone;
}

/// All rows of the streams, one a line; with --since what changed, and last the number to go on from; with --findings packets for claims.
int export_rows(const Command& c, amzsync::Engine& engine) {
  const amzsync_tools::Export what{c.user, c.claims ? "findings" : c.streams, c.format == "csv", c.since, c.finding_status, c.finding_type};
  if (const std::string wrong = amzsync_tools::refuse(what); !wrong.empty()) {
    complain(wrong);
    return kUsage;
  }
  const auto gap = [&] { std::cerr << "amzsync: changes after " << *c.since << " are no longer kept; all rows follow, and a copy must begin anew\n"; };
  const auto put = [](const std::string& line) { return static_cast<bool>(std::cout << line << "\n"); };
  if (const auto wrong = amzsync_tools::write_export(engine, what, put, gap)) return failed(*wrong);
  return kDone;
}

int check(const Command& c, amzsync::Engine& engine) {
  const auto checked = engine.check();
  if (checked && c.json) {
    std::cout << Json{{"ok", true}, {"consentLinks", !amzsync_tools::is_blank(c.settings.application_id) && !amzsync_tools::is_blank(c.settings.redirect_uri)}}.dump() << "\n";
    return kDone;
  }
  if (checked) {
    std::cout << "The settings are right: the database opens, its secrets too, and Amazon knows the application.\n";
    for (const auto& [name, value] : {std::pair("AMZSYNC_APPLICATION_ID", &c.settings.application_id), {"AMZSYNC_REDIRECT_URI", &c.settings.redirect_uri}})
      if (amzsync_tools::is_blank(*value)) std::cout << name << " is not set: a host can give no consent link without it.\n";
    return kDone;
  }
  const auto of = [](const std::string& endpoint, const char* usual) { return endpoint.empty() ? std::string(" (not set, so ") + usual + ")" : " is '" + endpoint + "'"; };
  const std::string& why = checked.error().message();
  switch (checked.error().code()) {
    case AMZSYNC_ERROR_KEY_UNKNOWN: return failed("AMZSYNC_MASTER_KEY is another one than the stored secrets were sealed with: " + why);
    case AMZSYNC_ERROR_APP_CREDENTIALS_INVALID: return failed("AMZSYNC_LWA_CLIENT_ID '" + c.settings.lwa_client_id + "' or AMZSYNC_LWA_CLIENT_SECRET is wrong: " + why);
    case AMZSYNC_ERROR_AMAZON_UNAVAILABLE: return failed("AMZSYNC_LWA_ENDPOINT" + of(c.settings.lwa_endpoint, "Amazon's own") + ": " + why);
    case AMZSYNC_ERROR_NETWORK_ERROR:
    case AMZSYNC_ERROR_TIMEOUT: return failed("AMZSYNC_SPAPI_ENDPOINT" + of(c.settings.spapi_endpoint, "that of AMZSYNC_REGION") + ": " + why);
    default: return failed(checked.error());
  }
}

/// Every usual mistake, and what to do about it.
int doctor(const Command& c, amzsync::Engine& engine) {
  const auto examined = engine.doctor();
  if (!examined) return failed(examined.error());
  const Json document = Json::parse(examined->json());
  const bool healthy = document["healthy"].get<bool>();
  if (c.json) {
    std::cout << document.dump() << "\n";
    return healthy ? kDone : kFailed;
  }
  int wrong = 0;
  for (const Json& check : document["checks"]) {
    const auto state = check["state"].get<std::string>();
    wrong += state == "wrong" ? 1 : 0;
    std::cout << std::left << std::setw(8) << state << " " << amzsync_tools::shown_name(check["name"].get<std::string>()) << ": " << check["message"].get<std::string>() << "\n";
    if (check.contains("fix")) std::cout << "         " << check["fix"].get<std::string>() << "\n";
  }
  if (healthy) return kDone;
  std::cout.flush();
  return failed(std::to_string(wrong) + (wrong == 1 ? " thing is wrong, above" : " things are wrong, above"));
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

/// Needs no engine: none may be open on what is copied.
int migrate(const Command& c) {
  auto& terminal = amzsync_tools::Terminal::standard_error();
  const auto progress = [&](const char* table, std::int64_t rows) { terminal.draw({std::string(table) + ": " + grouped(rows) + " rows"}); };
  const auto receipt = amzsync::migrate(c.from, c.to, progress);
  terminal.draw({});
  if (!receipt) return failed(receipt.error());
  if (c.json) {
    std::cout << receipt->json() << "\n";
    return kDone;
  }
  const Json document = Json::parse(receipt->json());
  for (const Json& t : document["tables"])
    if (t["rows"] != 0) std::cout << "  " << t["name"].get<std::string>() << ": " << grouped(t["rows"].get<std::int64_t>()) << " rows, digest " << t["digest"].get<std::string>() << "\n";
  std::cout << grouped(document["copied"].get<std::int64_t>()) << " rows were copied; all " << grouped(document["rows"].get<std::int64_t>()) << " are the same in both databases.\n"
            << "Start the hosts with AMZSYNC_STORE=" << amzsync_tools::without_password(c.to) << " and the same master key; " << c.from << " stayed as it was.\n";
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);   // a limit on the size of files is an error of the write, like a full disk
  amzsync_tools::share_memory_between_threads();
  amzsync_tools::keep_memory_to_itself();
  CLI::App app{"Syncs Amazon sellers into a database and shows what Amazon has paid back.", "amzsync"};
  app.set_version_flag("--version", std::string("amzsync ") + amzsync_version());
  app.require_subcommand(1);
  app.fallthrough();
  Command command;
  amzsync_tools::add_settings(app, command.settings, false);

  using Act = int (*)(const Command&, amzsync::Engine&);
  Act act = nullptr;
  bool working = false;
  const auto add = [&](const char* name, const char* help, Act what, bool works, bool needs_user) {
    CLI::App* sub = app.add_subcommand(name, help);
    if (needs_user) sub->add_option("--user", command.user, "The host's name of the user")->required();
    sub->add_flag("--json", command.json, "One JSON document on one line, last");
    sub->callback([&act, &working, what, works] {
      act = what;
      working = works;
    });
    return sub;
  };
  CLI::App* c = add("connect", "Connect a seller by a refresh token", connect, false, true);
  c->add_option("--refresh-token-file", command.refresh_token_file, "File that holds the refresh token")->required();
  c->add_option("--selling-partner-id", command.selling_partner_id, "The seller's id at Amazon");
  add("sync", "Sync a user now, and wait for it", sync, true, true)->add_option("--streams", command.streams, "Datasets, with commas between");
  for (const auto& [name, help, what] : {std::tuple{"pause", "Stop the syncs of a user, or of everybody, until they are resumed", &pause_syncs}, std::tuple{"resume", "Let them go on", &resume_syncs}}) {
    CLI::App* sub = add(name, help, what, false, false);
    CLI::Option* user = sub->add_option("--user", command.user, "The host's name of the user");
    CLI::Option* all = sub->add_flag("--all", command.all, "Everybody");
    user->excludes(all);
    sub->callback([&, user, all, what] {
      if (user->count() + all->count() == 0) throw CLI::RequiredError("--user or --all");
      if (user->count() > 0 && command.user.empty()) throw CLI::ValidationError("--user", "it is empty; everybody is --all");
      act = what;
    });
  }
  add("status", "Show a user's connection and last sync", status, false, true);
  c = add("history", "List a user's syncs, newest first", history, false, true);
  c->add_option("--limit", command.limit, "1 to 100")->check(CLI::Range(1, 100))->capture_default_str();
  c->add_option("--offset", command.offset, "How many to pass over")->capture_default_str();
  add("recoveries", "Show what Amazon has paid back", recoveries, false, true)->add_flag("--by-month", command.by_month, "With the series by month");
  c = add("findings", "Show what Amazon owes, or why it does or does not", findings, false, true);
  c->add_option("--status", command.finding_status, "claim_ready, not_mature, review, expired, blocked, open, filed, won or lost; default: all");
  c->add_option("--type", command.finding_type, "A rule, such as lost_warehouse; default: all");
  c->add_option("--explain", command.explain, "A finding's id, an SKU, FNSKU, ASIN, order, shipment, removal order or reference of the ledger");
  c = add("supply", "Tell what only the seller knows, such as costs", supply, false, true);
  c->add_option("--kind", command.kind, "What the file holds")->required()->check(CLI::IsMember({"costs", "sizes", "removal_receipts", "removal_shipments", "deliveries", "partnered"}));
  c->add_option("--file", command.file, "A JSON array of objects")->required();
  add("replay", "Rebuild rows from what is archived, without Amazon", replay, true, true)->add_option("--streams", command.streams, "Names with commas between; default: all");
  c = add("export", "Write a user's rows, one a line", export_rows, false, true);
  c->add_option("--what", command.streams, "Datasets, with commas between; default: all");
  c->add_option("--since", command.since, "Only what changed after this number, 0 for a first time; the last line tells the next one");
  c->add_flag("--findings", command.claims, "What Amazon owes in place of rows: a packet for each claim, with its evidence");
  c->add_option("--status", command.finding_status, "With --findings: those of one readiness or state");
  c->add_option("--type", command.finding_type, "With --findings: those of one rule");
  c->add_option("--format", command.format, "ndjson, or csv for one dataset or for findings")->check(CLI::IsMember({"ndjson", "csv"}))->capture_default_str();
  add("erase", "Delete everything that is stored of a user", erase, false, true);
  add("rotate-key", "Seal the stored secrets anew with the first of the master keys", rotate_key, false, false);
  bool migrating = false;
  c = app.add_subcommand("migrate", "Copy an SQLite database into PostgreSQL, and compare them");
  c->add_option("--from", command.from, "sqlite:PATH")->required();
  c->add_option("--to", command.to, "postgresql://…; what was copied there before is not copied again")->required();
  c->add_flag("--json", command.json, "One JSON document on one line, last");
  c->callback([&migrating] { migrating = true; });
  add("check", "Check the settings, and name the one that is wrong", check, false, false);
  add("doctor", "Look for the usual mistakes, and say what to do about each", doctor, false, false);
  std::string shell;
  c = app.add_subcommand("completion", "Write a script by which a shell completes commands and options");
  c->add_option("shell", shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));

  try {
    std::vector<std::string> args;
    if (const auto wrong = amzsync_tools::with_environment(argc, argv, args)) {
      complain(wrong->line);
      return kUsage;
    }
    std::reverse(args.begin(), args.end());
    app.parse(args);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return said(app.exit(e));
    const bool no_command = app.get_subcommands().empty() && dynamic_cast<const CLI::RequiredError*>(&e) != nullptr;
    const auto unknown = no_command ? app.remaining() : std::vector<std::string>();
    if (!no_command) complain(amzsync_tools::parse_problem(e));
    if (no_command) complain((unknown.empty() ? "a command is missing" : "'" + unknown.front() + "' is no command") + "; amzsync --help lists them");
    return kUsage;
  }
  if (migrating) return said(migrate(command));
  if (!shell.empty()) {
    std::cout << amzsync_cli::completion(app, shell);
    return said(kDone);
  }
  if (const auto wrong = amzsync_tools::complete(command.settings)) {
    complain(wrong->line);
    return kUsage;
  }
  std::string wrong_setting;
  auto engine = open_engine(command, working, wrong_setting);
  if (!engine) {
    complain(wrong_setting.empty() ? engine.error().message() : wrong_setting);
    return engine.error().code() == AMZSYNC_ERROR_SETTING_INVALID ? kUsage : kFailed;
  }
  return said(act(command, *engine));
}
