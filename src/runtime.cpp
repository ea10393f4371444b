// SPDX-License-Identifier: Apache-2.0
#include "runtime.hpp"

#include <algorithm>
#include <array>

#include "base/memory.hpp"
#include "net/curl_transport.hpp"
#include "open_store.hpp"

namespace amzsync {
namespace {

constexpr int kMostSignIns = 1'000;   // token calls at once

}  // namespace

Runtime::Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::open(RuntimeSettings settings, Log log) {
  auto runtime = std::unique_ptr<Runtime>(new Runtime());
  AMZ_CHECK(runtime->open_parts(std::move(settings), std::move(log)));
  return runtime;
}

Status Runtime::open_parts(RuntimeSettings settings, Log log) {
  for (Workers* workers : {&writer_, &work_, &readers_, &dispatcher_}) AMZ_CHECK(workers->start(log));
  clock_ = make_system_clock(loop_.get_executor());
  entropy_ = make_system_entropy();
  if (settings.make_transport) {
    for (auto* transport : {&transport_, &sign_in_}) {
      AMZ_TRY(made, settings.make_transport(loop_.get_executor(), *clock_));
      *transport = std::move(made);
    }
  } else {
    net::CurlOptions curl;
    curl.ca_file = settings.ca_file;
    curl.proxy = settings.proxy;
    transport_ = net::make_curl_transport(loop_.get_executor(), *clock_, curl);
    curl.max_transfers = kMostSignIns;
    sign_in_ = net::make_curl_transport(loop_.get_executor(), *clock_, curl);
  }
  if (settings.make_token_store) {
    AMZ_TRY(made, settings.make_token_store(loop_.get_executor(), *clock_));
    token_store_ = std::move(made);
  }
  AMZ_TRY(store, open_store(settings.store, writer_.executor(), readers_.executor(), *clock_, log));
  store_ = std::move(store);
  AMZ_TRY(me, store_->register_engine());
  engine_ = std::make_unique<Engine>(std::move(settings.engine), EngineParts{loop_.get_executor(), work_.executor(), dispatcher_.executor(), *clock_, *entropy_,
                                                                             *transport_, *sign_in_, *store_, me, log, token_store_.get()});
  asio::post(loop_, [this] { engine_->start(); });
  AMZ_TRY(thread, start_thread(loop_, std::move(log)));
  loop_thread_ = std::move(thread);
  return Done{};
}

void Runtime::break_off() noexcept {
  try {
    asio::post(loop_, [this] { engine_->break_off(); });
  } catch (const std::bad_alloc&) {
    // What waits, waits its time.
  }
}

/// A close can't fail: what lacks memory is begun anew.
void Runtime::begin_to_stop() noexcept {
  // Spawned there: elsewhere what begins a coroutine can't say that it lacks memory.
  insist([this] {
    asio::post(loop_, [this] {
      insist([this] {
        prepare_to_spawn(loop_.get_executor());
        asio::co_spawn(loop_.get_executor(), stop(), [this](const std::exception_ptr& escaped) {
          if (escaped) return begin_to_stop();
          stopped_.set_value();
        });
      });
    });
  });
}

Async<void> Runtime::stop() {
  co_await engine_->stop();
  co_await calls_.all_ended();
}

void Runtime::halt() noexcept {
  const std::array workers{&writer_, &work_, &readers_};
  if (std::this_thread::get_id() == loop_thread_.get_id() || std::any_of(workers.begin(), workers.end(), [](const Workers* w) { return w->on_own_thread(); })) return;
  store_->hurry();
  loop_.stop();
  loop_thread_.join();
  for (Workers* w : workers) w->halt();
  if (!dispatcher_.on_own_thread()) dispatcher_.halt();   // nobody waits for a callback that exits
}

Runtime::~Runtime() {
  if (loop_thread_.joinable()) {
    // Stop triggers, cancel, drain the store, join the dispatcher, stop the loop; frames are gone before the store is.
    begin_to_stop();
    stopped_.get_future().wait();
    insist([this] { engine_->dispatcher().close(); });
    dispatcher_.join();
    writer_.join();
    work_.join();
    readers_.join();
    keep_running_.reset();
    loop_.stop();
    loop_thread_.join();
  }
  engine_.reset();
  store_.reset();
  token_store_.reset();
  sign_in_.reset();
  transport_.reset();
  clock_.reset();
}

}  // namespace amzsync
