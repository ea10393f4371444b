// SPDX-License-Identifier: Apache-2.0
#include "sync/doctor.hpp"

#include <map>

#include "base/json_writer.hpp"
#include "spapi/sellers.hpp"
#include "spapi/transactions.hpp"
#include "store/health.hpp"
#include "store/sealed.hpp"
#include "sync/streams.hpp"

namespace amzsync::sync {
namespace {

constexpr Duration kClockMayBeOff = std::chrono::seconds(60);   // Amazon refuses times of less than two minutes ago
constexpr Duration kPatience = std::chrono::seconds(9);

class Findings {
 public:
  void ok(std::string_view name, std::string_view message) { add(name, "ok", message, ""); }
  void wrong(std::string_view name, std::string_view message, std::string_view fix) { healthy_ = false, add(name, "wrong", message, fix); }
  void warn(std::string_view name, std::string_view message, std::string_view fix) { add(name, "warning", message, fix); }
  void unknown(std::string_view name, std::string_view message) { add(name, "unknown", message, ""); }

  std::string document() const { return std::move(JsonWriter().begin_object().field("healthy", healthy_).field_raw("checks", "[" + checks_ + "]").end_object()).text(); }

 private:
  void add(std::string_view name, std::string_view state, std::string_view message, std::string_view fix) {
    JsonWriter one;
    one.begin_object().field("name", name).field("state", state).field("message", message).field_if("fix", fix).end_object();
    checks_ += (checks_.empty() ? "" : ",") + one.text();
  }
  bool healthy_ = true;
  std::string checks_;
};

std::string counted(std::int64_t n, std::string_view one, std::string_view many) { return std::to_string(n) + " " + std::string(n == 1 ? one : many); }

// ---- what the database tells ----

struct Keys {
  std::int64_t secrets = 0, unreadable = 0, old = 0;
};

struct Stored {
  Keys keys;
  store::Health health;
  std::optional<store::Connection> newest;
  std::int64_t hosts = 0;
};

/// Every refresh token is opened once.
Keys try_keys(store::Tx& tx, const auth::Vault& vault) {
  Keys keys;
  constexpr int kAtOnce = 500;
  for (UserNo last{0};;) {
    const auto some = store::sealed_connections(tx, last, kAtOnce);
    if (some.empty()) return keys;
    for (const store::Connection& c : some) {
      ++keys.secrets;
      if (!vault.open(auth::SecretKind::refresh_token, c.user, c.sealed_refresh_token)) {
        ++keys.unreadable;
      } else if (!vault.is_current(c.sealed_refresh_token)) {
        ++keys.old;
      }
    }
    last = some.back().user;
  }
}

void judge_store(Findings& f, store::Store& store) {
  if (store.has_room()) return f.ok("store", "The database opens, and its disk has room.");
  f.wrong("store", "The disk that the database is on is nearly full; syncs end until there is room.", "Make room on that disk, or move the database to a larger one.");
}

void judge_keys(Findings& f, const Keys& keys) {
  if (keys.unreadable > 0)
    return f.wrong("master-key", "No key opens " + counted(keys.unreadable, "refresh token", "refresh tokens") + " of " + std::to_string(keys.secrets) + ".",
                   "Add the key that sealed them, as id:key behind the one that seals now, and run rotate-key; or have those sellers connect again.");
  if (keys.old > 0) return f.warn("master-key", counted(keys.old, "refresh token is", "refresh tokens are") + " sealed with an older key.", "Run rotate-key; the older key can be taken out then.");
  f.ok("master-key", keys.secrets == 0 ? "Nothing is sealed yet." : "The key opens " + counted(keys.secrets, "refresh token.", "refresh tokens."));
}

void judge_redirect(Findings& f, const AppSettings& app) {
  const std::string fix = "Set both as they stand in the application's page in Seller Central (Develop Apps); the redirect URI must be one of its OAuth redirect URIs, letter for letter.";
  if (app.application_id.empty() || app.redirect_uri.empty())
    return f.warn("redirect-uri", std::string(app.application_id.empty() ? "The application's id is" : "The redirect URI is") + " not set, so no seller can be sent to Amazon to agree.", fix);
  if (!app.application_id.starts_with("amzn1.sp.solution.")) return f.wrong("application-id", "The application's id is '" + app.application_id + "'; those of Amazon begin with amzn1.sp.solution.", fix);
  if (!net::is_safe_url(app.redirect_uri)) return f.wrong("redirect-uri", "The redirect URI '" + app.redirect_uri + "' is neither https nor on this machine; Amazon sends no code there.", fix);
  if (app.redirect_uri.find('#') != std::string::npos) return f.wrong("redirect-uri", "The redirect URI '" + app.redirect_uri + "' has a fragment, which no browser sends.", fix);
  f.ok("redirect-uri", "Sellers come back to " + app.redirect_uri + (app.draft ? "; the application is asked for as a draft." : "."));
}

void judge_region(Findings& f, const store::Health& health, std::string_view region) {
  std::string others;
  std::int64_t here = 0;
  for (const auto& [name, connections] : health.connections_by_region) {
    if (name == region) {
      here = connections;
    } else {
      others += (others.empty() ? "" : ", ") + counted(connections, "connection", "connections") + " of region " + name;
    }
  }
  if (others.empty()) return f.ok("region", counted(here, "seller is", "sellers are") + " connected in region " + std::string(region) + ".");
  f.wrong("region", "The engine works in region " + std::string(region) + ", but the database holds " + others + ".", "Give each region a database and hosts of its own, or set the region that these sellers sell in.");
}

void judge_connections(Findings& f, const store::Health& health) {
  if (health.lost.empty()) return f.ok("connections", "No seller has to connect again.");
  std::string why;
  std::int64_t all = 0;
  for (const auto& [reason, connections] : health.lost) {
    all += connections;
    why += (why.empty() ? "" : ", ") + reason + ": " + std::to_string(connections);
  }
  f.warn("connections", counted(all, "seller has", "sellers have") + " to connect again (" + why + ").",
         health.lost.contains(std::string(code_name(Code::key_unknown))) ? "Where the reason is key_unknown, run rotate-key with the right key; the others must agree at Amazon anew."
                                                                        : "Send them to the consent page again.");
}

/// Roles that the application was refused for, at the last sync of each seller.
void judge_roles(Findings& f, const store::Health& health) {
  std::map<std::string_view, std::pair<std::string, std::int64_t>> missing;
  for (const Stream* stream : data_streams())
    if (const auto refused = health.refused.find(std::string(stream->name)); refused != health.refused.end()) {
      auto& [streams, sellers] = missing[stream->role];
      streams += (streams.empty() ? "" : ", ") + std::string(stream->name);
      sellers = std::max(sellers, refused->second);
    }
  if (missing.empty()) return f.ok("roles", "Amazon has refused no dataset.");
  for (const auto& [role, what] : missing)
    f.wrong("roles", "Amazon refuses " + what.first + " for " + counted(what.second, "seller", "sellers") + "; that is the role " + std::string(role) + ".",
            "Ask for the role in the application's page. When it is granted, every seller must agree anew: an authorisation keeps the roles that it was given with.");
}

/// Kinds of money that nobody has told this version of.
void judge_types(Findings& f, const store::Health& health) {
  std::string unknown;
  for (const std::string& type : health.transaction_types)
    if (!type.empty() && !spapi::is_known_transaction_type(type)) unknown += (unknown.empty() ? "" : ", ") + type;
  if (unknown.empty()) return f.ok("types", "Amazon told of no kind of transaction that this version does not know.");
  f.warn("types", "Amazon told of kinds of transactions that this version does not know: " + unknown + ".", "They are stored as they are, and count in no rule. Look for a newer version.");
}

void judge_work(Findings& f, const store::Health& health, std::int64_t hosts) {
  if (health.paused) return f.warn("work", "Syncing of everybody is paused.", "Resume it: amzsync resume --all.");
  const std::string waiting = counted(health.queued, "sync waits", "syncs wait");
  if (hosts == 0 && health.queued > 0) return f.warn("work", waiting + ", and no host is open on this database.", "Start a host, or run amzsync sync.");
  f.ok("work", counted(hosts, "host is", "hosts are") + " open on this database; " + waiting + ".");
}

// ---- what Amazon tells ----

/// How far ahead of Amazon's this machine's clock is.
void judge_clock(Findings& f, const std::optional<Instant>& theirs, Instant ours) {
  if (!theirs) return f.unknown("clock", "Amazon told no time to compare with.");
  const auto off = std::chrono::duration_cast<std::chrono::seconds>(ours - *theirs);
  if (ours - *theirs < kClockMayBeOff && *theirs - ours < kClockMayBeOff) return f.ok("clock", "This machine's clock agrees with Amazon's.");
  f.wrong("clock", "This machine's clock is " + std::to_string(off.count() < 0 ? -off.count() : off.count()) + " s " + (off.count() < 0 ? "behind" : "ahead of") + " Amazon's.", "Have it set by NTP.");
}

/// Whether Amazon knows the application; true: yes.
Async<bool> ask_sign_in(Findings& f, Services& services, CancelToken life) {
  auto grant = co_await services.lwa.grantless("sellingpartnerapi::notifications", kPatience, life);
  // An application that may not have that scope was still recognised.
  if (grant || grant.code() == Code::request_rejected || grant.code() == Code::invalid_grant) {
    f.ok("lwa-client-id", "Amazon knows the application.");
    co_return true;
  }
  if (grant.code() == Code::amazon_unavailable) {
    f.wrong("lwa-endpoint", "The token endpoint does not answer: " + grant.error().message, "Look whether this machine reaches it (proxy, firewall, DNS); unset it for Amazon's own.");
  } else {
    f.wrong("lwa-client-secret", grant.error().message, "Take client id and secret from the application's page (LWA credentials); a secret ends 180 days after it was made.");
  }
  co_return false;
}

Async<void> ask_api(Findings& f, Services& services, CancelToken life) {
  auto reached = co_await services.client.reach(life);
  if (!reached) {
    f.wrong("spapi-endpoint", reached.error().message, "Look whether this machine reaches it (proxy, firewall, DNS); unset it for that of the region.");
    f.unknown("clock", "Amazon told no time to compare with.");
    co_return;
  }
  f.ok("spapi-endpoint", "The API answers.");
  judge_clock(f, *reached, services.clock.now());
}

/// One call as the seller who connected last.
Async<void> ask_as_seller(Findings& f, Services& services, const store::Connection& connection, CancelToken life) {
  spapi::Caller caller;
  caller.user = connection.user;
  caller.account = connection.seller.empty() ? std::to_string(connection.number.value) : connection.seller.text();
  caller.cancel = life;
  spapi::Request request = spapi::get_marketplace_participations();
  request.tries = 1;
  auto answer = co_await services.client.call(caller, std::move(request));
  if (!answer) {
    f.wrong("call", "A call for the seller who connected last fails: " + answer.error().message,
            answer.code() == Code::wrong_region   ? "Set the region that the seller sells in."
            : answer.code() == Code::unauthorised ? "Is this the region in which the seller sells, and is the application published, or authorised by this seller?"
                                                  : "See the message.");
    co_return;
  }
  const auto page = spapi::decode_participations(*answer);
  std::string here;
  for (const auto& p : page ? page->list : std::vector<store::Participation>())
    if (const auto* known = spapi::find_marketplace(p.marketplace.text()); known && known->region == services.settings.region && p.participating) here += (here.empty() ? "" : ", ") + std::string(known->country);
  if (here.empty()) {
    f.wrong("call", "Amazon answers for the seller who connected last, but this seller takes part in no marketplace of region " + std::string(services.settings.region_name()) + ".",
            "Set the region that the seller sells in.");
  } else {
    f.ok("call", "A call for the seller who connected last works; marketplaces: " + here + ".");
  }
}

}  // namespace

Async<Result<std::string>> examine(Services& services, const auth::Vault& vault, const AppSettings& app, CancelToken life) {
  Stored stored;
  auto look = [&](store::Tx& tx) -> Status {
    stored = {try_keys(tx, vault), store::health_of(tx), store::newest_connection(tx), 0};
    return Done{};
  };
  AMZ_CO_CHECK(co_await services.store.read(std::move(look)));
  for (const EngineNo engine : stored.health.open_engines)
    if (engine != services.me && services.store.engine_may_live(engine)) ++stored.hosts;

  Findings f;
  judge_store(f, services.store);
  judge_keys(f, stored.keys);
  const bool known = co_await ask_sign_in(f, services, life);
  co_await ask_api(f, services, life);
  judge_redirect(f, app);
  judge_region(f, stored.health, services.settings.region_name());
  judge_connections(f, stored.health);
  judge_roles(f, stored.health);
  judge_types(f, stored.health);
  if (!stored.newest || stored.newest->state != store::ConnectionState::connected) {
    f.unknown("call", "No seller is connected to try a call with.");
  } else if (!known || stored.keys.unreadable == stored.keys.secrets) {
    f.unknown("call", "Nothing can be asked for a seller before the above is mended.");
  } else {
    co_await ask_as_seller(f, services, *stored.newest, life);
  }
  judge_work(f, stored.health, stored.hosts);
  co_return f.document();
}

}  // namespace amzsync::sync
