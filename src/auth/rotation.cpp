// SPDX-License-Identifier: Apache-2.0
#include "auth/rotation.hpp"

#include "store/sealed.hpp"
#include "store/users.hpp"

namespace amzsync::auth {
namespace {

constexpr int kAtOnce = 100;

/// What is stored in place of a sealed value; nullopt: it stays.
struct Renewed {
  bool opens = true;
  std::optional<std::string> sealed;
};

Renewed renew(const Vault& vault, SecretKind kind, UserNo user, std::string_view sealed) {
  if (sealed.empty()) return {};
  const auto secret = vault.open(kind, user, sealed);
  if (!secret) return {.opens = false, .sealed = std::nullopt};
  if (vault.is_current(sealed)) return {};
  return {.opens = true, .sealed = vault.seal(kind, user, *secret)};
}

/// The next connections, up to kAtOnce. Returns the user of the last of them; 0: there are no more.
Result<UserNo> renew_connections(store::Tx& tx, const Vault& vault, UserNo after, Rotation& done) {
  const auto connections = store::sealed_connections(tx, after, kAtOnce);
  for (const store::Connection& c : connections) {
    const Renewed refresh = renew(vault, SecretKind::refresh_token, c.user, c.sealed_refresh_token);
    const Renewed access = renew(vault, SecretKind::access_token, c.user, c.sealed_access_token);
    done.secrets += c.sealed_access_token.empty() ? 1 : 2;
    done.resealed += (refresh.sealed ? 1 : 0) + (access.sealed ? 1 : 0);
    if (refresh.sealed) store::reseal_refresh_token(tx, c.user, c.generation, *refresh.sealed);
    // An access token is a copy of what Amazon gives again; one that nobody can open is worth nothing.
    if (access.sealed || !access.opens) store::reseal_access_token(tx, c.user, access.sealed);
    if (!refresh.opens) {
      done.unreadable.push_back(store::user_id_of(tx, c.user));
    } else if (store::restore_unreadable(tx, c)) {
      ++done.restored;
    }
  }
  return connections.empty() ? UserNo{0} : connections.back().user;
}

Status renew_codes(store::Tx& tx, const Vault& vault, Rotation& done) {
  for (const store::OrphanedCode& code : store::orphaned_codes(tx, tx.now() + std::chrono::hours(24))) {
    const Renewed fresh = renew(vault, SecretKind::authorisation_code, code.consent.user, code.sealed_code);
    ++done.secrets;
    if (!fresh.sealed) continue;   // what can't be opened is told when it is exchanged
    ++done.resealed;
    store::reseal_code(tx, code.state_hash, *fresh.sealed);
  }
  return Done{};
}

}  // namespace

Async<Result<Rotation>> seal_anew(store::Store& store, const Vault& vault, Log log) {
  Rotation all;
  all.key = vault.key_id();
  auto codes = [&vault, before = all](store::Tx& tx) -> Result<Rotation> {
    Rotation done = before;   // a transaction may be attempted again
    AMZ_CHECK(renew_codes(tx, vault, done));
    return done;
  };
  AMZ_CO_TRY(with_codes, co_await store.write(store::Urgency::normal, std::move(codes)));
  all = std::move(with_codes);
  for (UserNo last{0};;) {
    struct Part {
      Rotation done;
      UserNo last;
    };
    auto some = [&vault, last, before = all](store::Tx& tx) -> Result<Part> {
      Part part{before, last};
      AMZ_TRY(reached, renew_connections(tx, vault, last, part.done));
      part.last = reached;
      return part;
    };
    AMZ_CO_TRY(part, co_await store.write(store::Urgency::normal, std::move(some)));
    all = std::move(part.done);
    if (part.last.value == 0) break;
    last = part.last;
  }
  (void)co_await store.scrub();   // the log still holds what the old key opens; whoever reads it now keeps it there until the next time
  log.info("Secrets are sealed with the new master key", {{"key", all.key}, {"secrets", all.secrets}, {"resealed", all.resealed}, {"unreadable", static_cast<std::int64_t>(all.unreadable.size())}});
  co_return all;
}

}  // namespace amzsync::auth
