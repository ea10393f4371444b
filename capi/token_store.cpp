// SPDX-License-Identifier: Apache-2.0
#include "capi/token_store.hpp"

#include <asio/post.hpp>
#include <mutex>

#include "base/workers.hpp"
#include "capi/handles.hpp"

using namespace amzsync;         // NOLINT: this file is the library's edge
using namespace amzsync::capi;   // NOLINT

/// One call of the host's store. Whoever ends it first, the host or the clock, is heard.
struct amzsync_token_call : Alive<Kind::token_call> {
  amzsync_token_call(Executor l, HostTokens t) : tokens(std::move(t)), loop(std::move(l)) {}
  const HostTokens tokens;
  const Executor loop;
  std::mutex mutex;
  bool wanted = true;                         // while it is, the engine is there
  std::shared_ptr<amzsync_token_call> mine;   // the host's share, until it is done

  // The loop's side.
  Completion<Result<Secret>> done;
  std::unique_ptr<Clock::Timer> timer;

  void settle(Result<Secret> outcome) {
    {
      std::lock_guard lock(mutex);
      if (!std::exchange(wanted, false)) return;
    }
    timer.reset();
    done(std::move(outcome));
  }
};

namespace amzsync::capi {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);   // the browser of a callback waits meanwhile
constexpr std::uint32_t kCallers = 4;

class HostTokenStore final : public auth::TokenStore {
 public:
  HostTokenStore(Executor loop, Clock& clock, HostTokens tokens)
      : loop_(std::move(loop)), clock_(clock), tokens_(std::move(tokens)), callers_(static_cast<int>(tokens_.table.threads ? tokens_.table.threads : kCallers)) {}
  ~HostTokenStore() override { callers_.join(); }
  Status start() { return callers_.start(); }

  Async<Status> put(UserId user, std::string name, Secret token) override {
    auto call = [table = tokens_.table, user, name, token](void* data, amzsync_token_call* c) { table.put(data, user.text().c_str(), name.c_str(), std::string(token.reveal()).c_str(), c); };
    const auto outcome = co_await ask(std::move(call));
    co_return outcome ? Status(Done{}) : Status(outcome.error());
  }
  Async<Result<Secret>> get(std::string name) override {
    auto call = [table = tokens_.table, name](void* data, amzsync_token_call* c) { table.get(data, name.c_str(), c); };
    auto outcome = co_await ask(std::move(call));
    if (outcome && outcome->empty()) co_return Error(Code::store_unavailable, "The host's token store gave no token.");
    co_return outcome;
  }
  Async<Status> remove(std::string name) override {
    auto call = [table = tokens_.table, name](void* data, amzsync_token_call* c) { table.remove(data, name.c_str(), c); };
    const auto outcome = co_await ask(std::move(call));
    co_return outcome || outcome.code() == Code::not_found ? Status(Done{}) : Status(outcome.error());
  }

 private:
  using Call = std::function<void(void*, amzsync_token_call*)>;

  Async<Result<Secret>> ask(Call call) {
    const auto pending = std::make_shared<amzsync_token_call>(loop_, tokens_);
    auto start = [this, pending, &call](Completion<Result<Secret>> done) {
      pending->done = std::move(done);
      pending->timer = clock_.call_at(clock_.steady() + kPatience, [weak = std::weak_ptr<amzsync_token_call>(pending)] {
        if (const auto p = weak.lock()) p->settle(Error(Code::store_unavailable, "The host's token store did not answer in time."));
      });
      asio::post(callers_.executor(), [pending, call = std::move(call)] {
        {
          std::lock_guard lock(pending->mutex);
          if (!pending->wanted) return;   // too late, and the host has not seen it
          pending->mine = pending;
        }
        const InsideHost inside;
        call(pending->tokens.data->get(), pending.get());
      });
    };
    auto outcome = co_await await_completion<Result<Secret>>(std::move(start));
    co_return outcome;
  }

  Executor loop_;
  Clock& clock_;
  HostTokens tokens_;
  Workers callers_;
};

}  // namespace

Result<std::unique_ptr<auth::TokenStore>> make_host_token_store(Executor loop, Clock& clock, HostTokens tokens) {
  auto store = std::make_unique<HostTokenStore>(std::move(loop), clock, std::move(tokens));
  AMZ_CHECK(store->start());
  return std::unique_ptr<auth::TokenStore>(std::move(store));
}

}  // namespace amzsync::capi

extern "C" {

void amzsync_token_call_done(amzsync_token_call* call, int32_t code, const char* token, const char* message) noexcept {
  if (!is_live(call)) return;
  std::shared_ptr<amzsync_token_call> mine;   // goes last
  (void)guarded(nullptr, [&]() -> Status {
    constexpr std::size_t kLongestMessage = 300;
    std::lock_guard lock(call->mutex);
    mine = std::move(call->mine);
    if (!mine || !call->wanted) return Done{};
    Result<Secret> outcome(Code::store_unavailable);
    if (code == AMZSYNC_OK) {
      outcome = Secret(token ? std::string(token, ::strnlen(token, kLongestText)) : std::string());
    } else if (code == AMZSYNC_ERROR_NOT_FOUND) {
      outcome = Error(Code::not_found, "The host's token store has no such token.");
    } else {
      const std::string why = message ? clean_utf8(std::string_view(message, ::strnlen(message, kLongestMessage)), kLongestMessage) : std::string();
      outcome = Error(Code::store_unavailable, why.empty() ? "The host's token store failed." : "The host's token store failed: " + why);
    }
    asio::post(call->loop, [self = mine, o = std::move(outcome)]() mutable { self->settle(std::move(o)); });
    return Done{};
  });
}

int32_t amzsync_options_set_token_store(amzsync_options* options, const amzsync_token_store* tokens, void* user_data, amzsync_free_fn free_fn, amzsync_error** err) noexcept {
  return guarded(err, [&]() -> Status {
    if (!options) return missing("options");
    if (!is_live(options)) return Error(Code::invalid_argument, "What was passed as the options was freed, or is another handle.");
    std::optional<HostTokens> taken;
    if (tokens) {
      constexpr std::uint32_t kMostThreads = 256;
      if (tokens->size < sizeof(amzsync_token_store)) return Error(Code::setting_invalid, "tokens->size is too small; set it to sizeof(amzsync_token_store).");
      if (!tokens->put || !tokens->get || !tokens->remove) return Error(Code::setting_invalid, "put, get and remove of a token store must not be NULL.");
      if (tokens->threads > kMostThreads) return Error(Code::setting_invalid, "tokens->threads must be from 0 to 256.");
      taken = HostTokens{*tokens, std::make_shared<HostData>(user_data, free_fn)};
      taken->data->keep();
    } else if (free_fn) {
      free_fn(user_data);
    }
    options->options.token_store = std::move(taken);
    return Done{};
  });
}

}  // extern "C"
