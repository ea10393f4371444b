// SPDX-License-Identifier: Apache-2.0
#include "runtime.hpp"

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
  clock_ = make_system_clock(loop_.get_executor());
  entropy_ = make_system_entropy();
  if (settings.make_transport) {
    transport_ = settings.make_transport(loop_.get_executor(), *clock_);
    sign_in_ = settings.make_transport(loop_.get_executor(), *clock_);
  } else {
    net::CurlOptions curl;
    curl.ca_file = settings.ca_file;
    curl.proxy = settings.proxy;
    transport_ = net::make_curl_transport(loop_.get_executor(), *clock_, curl);
    curl.max_transfers = kMostSignIns;
    sign_in_ = net::make_curl_transport(loop_.get_executor(), *clock_, curl);
  }
  if (settings.make_token_store) token_store_ = settings.make_token_store(loop_.get_executor(), *clock_);
  AMZ_TRY(store, open_store(settings.store, writer_.get_executor(), readers_.get_executor(), *clock_, log));
  store_ = std::move(store);
  AMZ_TRY(me, store_->register_engine());
  engine_ = std::make_unique<Engine>(std::move(settings.engine), EngineParts{loop_.get_executor(), work_.get_executor(), dispatcher_.get_executor(), *clock_, *entropy_,
                                                                             *transport_, *sign_in_, *store_, me, std::move(log), token_store_.get()});
  loop_thread_ = std::thread([this] { loop_.run(); });
  asio::post(loop_, [this] { engine_->start(); });
  return Done{};
}

void Runtime::break_off() noexcept {
  try {
    asio::post(loop_, [this] { engine_->break_off(); });
  } catch (const std::bad_alloc&) {
    // What waits, waits its time.
  }
}

Async<void> Runtime::stop() {
  co_await engine_->stop();
  co_await calls_.all_ended();
}

Runtime::~Runtime() {
  if (loop_thread_.joinable()) {
    // Stop triggers, cancel, drain the store, join the dispatcher, stop the loop; frames are gone before the store is.
    std::promise<void> stopped;
    asio::co_spawn(loop_.get_executor(), stop(), [&stopped](const std::exception_ptr&) { stopped.set_value(); });
    stopped.get_future().wait();
    engine_->dispatcher().close();
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
