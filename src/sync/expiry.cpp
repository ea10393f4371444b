// SPDX-License-Identifier: Apache-2.0
#include "sync/expiry.hpp"

#include <algorithm>
#include <array>

#include "base/json_writer.hpp"
#include "store/app_secrets.hpp"
#include "store/connections.hpp"
#include "store/journal.hpp"

namespace amzsync::sync {
namespace {

constexpr std::array kWarnAtDays{30, 14, 7, 3, 1};
constexpr int kAtOnce = 100;
constexpr Duration kSecretLife = std::chrono::hours(24 * 180);
constexpr Duration days(int n) { return std::chrono::hours(24 * n); }

/// Begun ones count; 0: it is over.
std::int64_t days_until(Instant expires, Instant now) {
  constexpr Duration kDay = std::chrono::hours(24);
  return expires <= now ? 0 : (expires - now + kDay - Duration(1)) / kDay;
}

/// `must`: what a person has to do.
void tell(store::Tx& tx, UserNo user, std::string_view what, Instant expires, std::string_view must) {
  const std::int64_t left = days_until(expires, tx.now());
  JsonWriter payload;
  payload.begin_object().field("what", what).field("expiresAt", expires).field("daysLeft", left).field("message", std::string(must) + (left > 0 ? " before then." : ": it has ended.")).field("timestamp", tx.now()).end_object();
  store::append_event(tx, user, "connection.expiring", payload.text());
}

Async<Status> tell_authorisations(Services& services, int days_left, CancelToken closing) {
  for (std::size_t told = kAtOnce; told == kAtOnce && !closing.cancelled();) {
    auto some = [days_left](store::Tx& tx) -> Result<std::size_t> {
      const auto expiring = store::take_expiring(tx, days_left, tx.now() - kAuthorisationLife + days(days_left), kAtOnce);
      for (const store::Expiring& e : expiring)
        tell(tx, e.user, "authorisation", e.authorised_at + kAuthorisationLife, "The seller must authorise the application again");
      return expiring.size();
    };
    AMZ_CO_TRY(count, co_await services.store.write(store::Urgency::normal, std::move(some)));
    told = count;
  }
  co_return Done{};
}

/// Each user and the operators once; where a process dies in between, the next one tells those who were not told yet.
Async<Status> tell_secret(Services& services, CancelToken closing) {
  const std::string app(services.lwa.client_id());
  const Hash128 fingerprint = services.lwa.secret_fingerprint();
  auto look = [app, fingerprint](store::Tx& tx) -> Result<std::optional<Instant>> {
    store::note_app_secret(tx, app, fingerprint);
    return store::secret_first_used(tx, app, fingerprint);
  };
  AMZ_CO_TRY(first_used, co_await services.store.write(store::Urgency::normal, std::move(look)));
  if (!first_used) co_return Done{};
  const Instant expires = *first_used + kSecretLife;
  const auto due = std::find_if(kWarnAtDays.rbegin(), kWarnAtDays.rend(), [&](int left) { return services.clock.now() >= expires - days(left); });
  if (due == kWarnAtDays.rend()) co_return Done{};
  const std::int64_t fewest = days_until(expires, services.clock.now()) - 1;   // hosts' clocks may differ
  for (bool more = true; more && !closing.cancelled();) {
    auto some = [app, fingerprint, expires, left = *due, fewest](store::Tx& tx) -> Result<bool> {
      const auto users = store::take_users_to_warn(tx, app, fingerprint, left, fewest, kAtOnce);
      for (const UserNo user : users) tell(tx, user, "client_secret", expires, "The application's client secret must be renewed at Amazon");
      return !users.empty();
    };
    AMZ_CO_TRY(told, co_await services.store.write(store::Urgency::normal, std::move(some)));
    more = told;
  }
  auto first = [app, fingerprint, left = *due, fewest](store::Tx& tx) -> Result<bool> { return store::take_operators_warning(tx, app, fingerprint, left, fewest); };
  AMZ_CO_TRY(nobody_wrote, co_await services.store.write(store::Urgency::normal, std::move(first)));
  if (nobody_wrote) services.log.warn("The application's client secret ends soon", {{"clientId", app}, {"daysLeft", days_until(expires, services.clock.now())}, {"expiresAt", format_instant(expires)}});
  co_return Done{};
}

}  // namespace

Async<Status> tell_what_expires(Services& services, CancelToken closing) {
  // The fewest days first: what was told with them left is not told with more.
  for (auto left = kWarnAtDays.rbegin(); left != kWarnAtDays.rend(); ++left) {
    AMZ_CO_CHECK(co_await tell_authorisations(services, *left, closing));
  }
  co_return co_await tell_secret(services, closing);
}

}  // namespace amzsync::sync
