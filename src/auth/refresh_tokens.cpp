// SPDX-License-Identifier: Apache-2.0
#include "auth/refresh_tokens.hpp"

#include "base/crypto.hpp"
#include "store/kept_tokens.hpp"
#include "store/users.hpp"

namespace amzsync::auth {
namespace {

// Whoever sent a token stores its connection at once, or has died or given it up; and what was on its way to the host is there by then, or never comes.
constexpr Duration kSentForLost = std::chrono::minutes(10);
constexpr int kAtOnce = 100;

class Tidying {
 public:
  explicit Tidying(bool& flag) : flag_(flag) { flag_ = true; }
  Tidying(const Tidying&) = delete;
  Tidying& operator=(const Tidying&) = delete;
  ~Tidying() { flag_ = false; }

 private:
  bool& flag_;
};

// No token of Amazon's begins so; they begin with "Atzr|".
constexpr std::string_view kMark = "amzsync-kept:";

std::string fingerprint(const Secret& token) {
  const Sha256 hash = sha256("amzsync refresh token/" + std::string(token.reveal()));
  return hex(std::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

/// In place of a token: its name with the host, and what tells it apart.
struct Reference {
  std::string name, fingerprint;
};
std::optional<Reference> reference_in(const Secret& opened) {
  const std::string_view text = opened.reveal();
  if (!text.starts_with(kMark)) return std::nullopt;
  const std::string_view rest = text.substr(kMark.size());
  const std::size_t colon = rest.find(':');
  return Reference{std::string(rest.substr(0, colon)), colon == std::string_view::npos ? std::string() : std::string(rest.substr(colon + 1))};
}

}  // namespace

Status RefreshTokens::Kept::hold(store::Tx& tx) const {
  if (name.empty()) {
    store::drop_tokens(tx, user);
    return Done{};
  }
  if (!store::hold_token(tx, user, name)) return Error(Code::store_unavailable, "The host's token store took so long that the token was given up.");
  return Done{};
}

Async<Result<RefreshTokens::Kept>> RefreshTokens::keep(UserNo user, Secret token) {
  if (!host_) {
    Kept kept;
    kept.user = user;
    kept.sealed = vault_.seal(SecretKind::refresh_token, user, token);
    co_return kept;
  }
  Kept kept;
  kept.user = user;
  kept.name = hex(entropy_.bytes(16));
  const std::string reference = std::string(kMark) + kept.name + ":" + fingerprint(token);
  kept.sealed = vault_.seal(SecretKind::refresh_token, user, Secret(reference));
  auto note = [user, name = kept.name](store::Tx& tx) -> Result<UserId> {
    store::send_token(tx, user, name);
    return store::user_id_of(tx, user);
  };
  AMZ_CO_TRY(owner, co_await store_.write(store::Urgency::trigger, std::move(note)));
  std::string name = kept.name;
  const Status put = co_await host_->put(std::move(owner), std::move(name), std::move(token));
  if (put) co_return kept;
  // It may still come there, later than anybody waits: it is removed when that is over, as one of a process that died.
  log_.warn("The host's token store took no token", {{"error", put.error().message}});
  co_return put.error();
}

Async<void> RefreshTokens::let_go(Kept kept) {
  if (kept.name.empty()) co_return;
  auto drop = [kept](store::Tx& tx) -> Status {
    store::drop_token(tx, kept.user, kept.name);
    return Done{};
  };
  (void)co_await store_.write(store::Urgency::normal, std::move(drop));   // else it is taken for lost after a while
  co_await tidy();
}

Async<Result<Secret>> RefreshTokens::find(UserNo user, std::string sealed) {
  AMZ_CO_TRY(opened, vault_.open(SecretKind::refresh_token, user, sealed));
  const auto reference = reference_in(opened);
  if (!reference) co_return std::move(opened);
  if (!host_) co_return Error(Code::store_unavailable, "The refresh token lies in the host's token store, and this engine was given none.");
  std::string name = reference->name;
  auto token = co_await host_->get(std::move(name));
  if (token && fingerprint(*token) != reference->fingerprint) co_return Error(Code::store_unavailable, "The host's token store gave another token than it was given.");
  if (!token && token.code() == Code::not_found) co_return Error(Code::needs_reauth, "The host's token store has the refresh token no more.");
  co_return token;
}

std::string RefreshTokens::print_of(const Secret& token) { return fingerprint(token); }

std::optional<std::string> RefreshTokens::print_of(UserNo user, std::string_view sealed) const {
  const auto opened = vault_.open(SecretKind::refresh_token, user, sealed);
  if (!opened) return std::nullopt;
  const auto reference = reference_in(*opened);
  return reference ? reference->fingerprint : fingerprint(*opened);
}

bool RefreshTokens::is_same(UserNo user, std::string_view sealed, const Secret& token) const { return print_of(user, sealed) == fingerprint(token); }

bool RefreshTokens::is_in_place(UserNo user, std::string_view sealed) const {
  if (!vault_.is_current(sealed)) return false;
  if (!host_) return true;
  const auto opened = vault_.open(SecretKind::refresh_token, user, sealed);
  return opened && reference_in(*opened);
}

Async<void> RefreshTokens::tidy() {
  if (!host_ || tidying_) co_return;
  const Tidying one_at_a_time(tidying_);
  for (bool more = true; more && !life_.cancelled();) {
    auto look = [before = clock_.now() - kSentForLost](store::Tx& tx) -> Result<std::vector<store::KeptToken>> { return store::tokens_to_remove(tx, before, kAtOnce); };
    const auto tokens = co_await store_.read(std::move(look));
    more = tokens && tokens->size() == kAtOnce;
    if (!tokens) break;
    for (const store::KeptToken& token : *tokens) {
      std::string its_name = token.name;
      const Status removed = co_await host_->remove(std::move(its_name));
      if (!removed) {
        log_.warn("The host's token store removed no token; it is asked again", {{"error", removed.error().message}});
        more = false;
        break;
      }
      auto forget = [token](store::Tx& tx) -> Status {
        store::forget_token(tx, token.user, token.name);
        return Done{};
      };
      (void)co_await store_.write(store::Urgency::normal, std::move(forget));   // else it is removed once more
    }
  }
}

Async<Result<bool>> RefreshTokens::is_rid_of(UserNo user) {
  auto has_any = [user](store::Tx& tx) -> Result<bool> { return store::has_kept_tokens(tx, user); };
  AMZ_CO_TRY(any, co_await store_.read(has_any));
  if (!any) co_return true;
  auto drop = [user](store::Tx& tx) -> Status {
    store::drop_tokens(tx, user);
    return Done{};
  };
  AMZ_CO_CHECK(co_await store_.write(store::Urgency::normal, std::move(drop)));
  co_await tidy();
  AMZ_CO_TRY(left, co_await store_.read(has_any));
  co_return !left;
}

}  // namespace amzsync::auth
