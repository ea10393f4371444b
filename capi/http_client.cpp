// SPDX-License-Identifier: Apache-2.0
#include "capi/http_client.hpp"

#include <asio/post.hpp>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/workers.hpp"
#include "capi/handles.hpp"

using namespace amzsync;         // NOLINT: this file is the library's edge
using namespace amzsync::capi;   // NOLINT

namespace {

constexpr std::size_t kMostHeaders = 256, kLongestHeader = 64U << 10;
constexpr std::size_t kPiece = 256U << 10;   // of a body, on its way to the loop

}  // namespace

/// One exchange. The loop waits for its end; the host's threads bring the answer. Whoever comes second finds it settled.
struct amzsync_exchange : Alive<Kind::exchange>, std::enable_shared_from_this<amzsync_exchange> {
  amzsync_exchange(Executor l, Clock& c, net::HttpRequest r, HttpClient h) : client(std::move(h)), loop(std::move(l)), clock(c), request(std::move(r)) {}

  // Set before the host sees it, and read by anybody.
  const HttpClient client;
  const Executor loop;
  Clock& clock;
  const net::HttpRequest request;

  // The host's side, under the mutex. While `wanted` the engine is there; afterwards only this object is.
  std::mutex mutex;
  std::condition_variable changed;
  bool wanted = true;
  bool piece_taken = true;   // the reader has room for the next piece of the body
  net::HttpResponse answer;
  std::size_t body_bytes = 0;
  std::atomic<bool> lacks_a_part = false;   // one could not be kept, so that the answer is none
  std::shared_ptr<amzsync_exchange> mine;   // the host's share, until it finishes

  // The loop's side.
  Completion<Result<net::HttpResponse>> done;
  std::unique_ptr<Clock::Timer> timer;
  CancelToken::Registration cancel;

  /// Whether the host may still tell of it.
  bool listens() const { return wanted && mine; }
  bool streams() const { return request.body_to && answer.status / 100 == 2; }

  /// Ends the waiting. Loop thread. False: it had ended.
  bool settle(Result<net::HttpResponse> outcome) {
    {
      std::lock_guard lock(mutex);
      if (!std::exchange(wanted, false)) return false;
      changed.notify_all();
    }
    timer.reset();
    cancel.reset();
    if (request.body_to) request.body_to->on_room(nullptr);
    done(std::move(outcome));
    return true;
  }

  /// The whole exchange, or in a stream the silence between two pieces, may take so long. Loop thread.
  void begin_timer(std::function<void(Error)> give_up) {
    timer = clock.call_at(clock.steady() + request.timeout, [give_up = std::move(give_up)] { give_up(Error(Code::timeout, "The host's HTTP client did not answer in time.")); });
  }

  /// Brings one piece to the reader, and waits until there is room for the next. On the host's thread.
  std::int32_t bring(std::string piece) {
    std::unique_lock lock(mutex);
    if (!listens()) return AMZSYNC_ERROR_CANCELLED;
    piece_taken = false;
    asio::post(loop, [self = shared_from_this(), p = std::move(piece)] { self->take(p); });
    changed.wait(lock, [&] { return piece_taken || !wanted; });
    return wanted ? AMZSYNC_OK : AMZSYNC_ERROR_CANCELLED;
  }

 private:
  void take(const std::string& piece) {
    {
      std::lock_guard lock(mutex);
      if (!wanted) return;
    }
    if (heard) heard();
    net::BodyStream& to = *request.body_to;
    to.push(piece);
    if (to.full())
      to.on_room([self = shared_from_this()] { self->make_room(); });
    else
      make_room();
  }
  void make_room() {
    std::lock_guard lock(mutex);
    piece_taken = true;
    changed.notify_all();
  }

 public:
  std::function<void()> heard;   // something came: the timer begins anew
};

namespace amzsync::capi {
namespace {

class HostTransport final : public net::HttpTransport {
 public:
  HostTransport(Executor loop, Clock& clock, HttpClient client)
      : loop_(std::move(loop)), clock_(clock), client_(std::move(client)), callers_(static_cast<int>(client_.table.threads ? client_.table.threads : kCallers)) {}
  Status start() {
    AMZ_CHECK(callers_.start());
    return cancellers_.start();
  }
  ~HostTransport() override {
    callers_.join();
    cancellers_.join();
  }

  Async<Result<net::HttpResponse>> send(net::HttpRequest request, CancelToken cancel) override {
    const std::shared_ptr<net::BodyStream> body_to = request.body_to;
    Result<net::HttpResponse> answer(Code::cancelled);
    if (!net::is_safe_url(request.url)) {
      answer = Error(Code::invalid_argument, "Only https, or http to a loopback address, is ever used.");
    } else if (request.public_only && !net::may_be_public(request.url)) {
      answer = Error(Code::network_error, "A document's address is not a public one.");
    } else if (!cancel.cancelled()) {
      const auto exchange = std::make_shared<amzsync_exchange>(loop_, clock_, std::move(request), client_);
      auto start = [this, exchange, &cancel](Completion<Result<net::HttpResponse>> done) { begin(exchange, cancel, std::move(done)); };
      answer = co_await await_completion<Result<net::HttpResponse>>(std::move(start));
      exchange->heard = nullptr;
    }
    if (body_to) body_to->close();
    co_return answer;
  }

 private:
  static constexpr std::uint32_t kCallers = 8;

  void begin(const std::shared_ptr<amzsync_exchange>& exchange, const CancelToken& cancel, Completion<Result<net::HttpResponse>> done) {
    exchange->done = std::move(done);
    const std::weak_ptr<amzsync_exchange> weak = exchange;
    const auto give_up = [this, weak](const Error& why) {
      if (const auto e = weak.lock(); e && e->settle(why)) call_off(e);
    };
    exchange->cancel = cancel.on_cancel([give_up] { give_up(Error(Code::cancelled)); });
    exchange->begin_timer(give_up);
    if (exchange->request.body_to)
      exchange->heard = [weak, give_up] {
        if (const auto e = weak.lock()) e->begin_timer(give_up);
      };
    asio::post(callers_.executor(), [exchange] {
      {
        std::lock_guard lock(exchange->mutex);
        if (!exchange->wanted) return;   // nobody waits for it any more, and the host has not seen it
        exchange->mine = exchange;
      }
      const InsideHost inside;
      exchange->client.table.perform(exchange->client.data->get(), exchange.get());
    });
  }

  /// Tells the host that nobody waits any more. Until that is said, no other exchange can have this one's address.
  void call_off(const std::shared_ptr<amzsync_exchange>& exchange) {
    if (!client_.table.cancel) return;
    asio::post(cancellers_.executor(), [exchange] {
      {
        std::lock_guard lock(exchange->mutex);
        if (!exchange->mine) return;   // it has not seen it, or has finished
      }
      const InsideHost inside;
      exchange->client.table.cancel(exchange->client.data->get(), exchange.get());
    });
  }

  Executor loop_;
  Clock& clock_;
  HttpClient client_;
  Workers callers_;
  Workers cancellers_{1};   // callers may all be waiting for what is to be cancelled
};

}  // namespace

Result<std::unique_ptr<net::HttpTransport>> make_host_transport(Executor loop, Clock& clock, HttpClient client) {
  auto transport = std::make_unique<HostTransport>(std::move(loop), clock, std::move(client));
  AMZ_CHECK(transport->start());
  return std::unique_ptr<net::HttpTransport>(std::move(transport));
}

}  // namespace amzsync::capi

namespace {

/// What the host tells of an exchange. `body(exchange) -> code`.
template <class Body>
std::int32_t telling(amzsync_exchange* exchange, Body body) noexcept {
  if (!is_live(exchange)) return AMZSYNC_ERROR_INVALID_ARGUMENT;
  try {
    return body(*exchange);
  } catch (const std::bad_alloc&) {
    exchange->lacks_a_part = true;
    return AMZSYNC_ERROR_NO_MEMORY;
  } catch (...) {
    exchange->lacks_a_part = true;
    return AMZSYNC_ERROR_INTERNAL;
  }
}

}  // namespace

extern "C" {

const char* amzsync_exchange_method(const amzsync_exchange* exchange) noexcept { return is_live(exchange) ? net::method_name(exchange->request.method).data() : ""; }

const char* amzsync_exchange_url(const amzsync_exchange* exchange) noexcept {
  return text_from_live(exchange, nullptr, [](const amzsync_exchange& e) -> const std::string& { return e.request.url; });
}

const char* amzsync_exchange_header(const amzsync_exchange* exchange, size_t index, const char** out_value) noexcept {
  const bool is_there = is_live(exchange) && index < exchange->request.headers.size();
  if (out_value) *out_value = is_there ? exchange->request.headers[index].value.c_str() : nullptr;
  return is_there ? exchange->request.headers[index].name.c_str() : nullptr;
}

const char* amzsync_exchange_body(const amzsync_exchange* exchange, size_t* out_size) noexcept {
  return text_from_live(exchange, out_size, [](const amzsync_exchange& e) -> const std::string& { return e.request.body; });
}

int64_t amzsync_exchange_timeout_ms(const amzsync_exchange* exchange) noexcept {
  return from_live(exchange, int64_t{0}, [](const amzsync_exchange& e) { return std::chrono::duration_cast<std::chrono::milliseconds>(e.request.timeout).count(); });
}

int32_t amzsync_exchange_rules(const amzsync_exchange* exchange) noexcept {
  return from_live(exchange, 0, [](const amzsync_exchange& e) { return (e.request.once ? AMZSYNC_EXCHANGE_ONCE : 0) | (e.request.public_only ? AMZSYNC_EXCHANGE_PUBLIC_ONLY : 0); });
}

int32_t amzsync_exchange_answer(amzsync_exchange* exchange, int32_t status) noexcept {
  return telling(exchange, [&](amzsync_exchange& e) -> std::int32_t {
    if (status < 100 || status > 599) return AMZSYNC_ERROR_INVALID_ARGUMENT;
    std::lock_guard lock(e.mutex);
    if (!e.listens()) return AMZSYNC_ERROR_CANCELLED;
    if (e.body_bytes > 0) return AMZSYNC_ERROR_INVALID_ARGUMENT;   // too late
    e.answer.status = status;
    e.answer.headers.clear();
    return AMZSYNC_OK;
  });
}

int32_t amzsync_exchange_answer_header(amzsync_exchange* exchange, const char* name, const char* value) noexcept {
  return telling(exchange, [&](amzsync_exchange& e) -> std::int32_t {
    if (!name || !value || !*name || ::strnlen(name, kLongestHeader + 1) > kLongestHeader || ::strnlen(value, kLongestHeader + 1) > kLongestHeader) return AMZSYNC_ERROR_INVALID_ARGUMENT;
    std::lock_guard lock(e.mutex);
    if (!e.listens()) return AMZSYNC_ERROR_CANCELLED;
    if (e.answer.status == 0 || e.answer.headers.size() >= kMostHeaders) return AMZSYNC_ERROR_INVALID_ARGUMENT;
    e.answer.headers.push_back({name, value});
    return AMZSYNC_OK;
  });
}

int32_t amzsync_exchange_answer_body(amzsync_exchange* exchange, const char* data, size_t size) noexcept {
  return telling(exchange, [&](amzsync_exchange& e) -> std::int32_t {
    if (!data && size > 0) return AMZSYNC_ERROR_INVALID_ARGUMENT;
    bool streams = false;
    {
      std::lock_guard lock(e.mutex);
      if (!e.listens()) return AMZSYNC_ERROR_CANCELLED;
      if (e.answer.status == 0) return AMZSYNC_ERROR_INVALID_ARGUMENT;
      streams = e.streams();
      if (!streams && size > e.request.max_body - std::min(e.body_bytes, e.request.max_body)) {
        e.body_bytes = e.request.max_body;
        asio::post(e.loop, [self = e.shared_from_this()] { self->settle(Code::answer_too_large); });
        return AMZSYNC_ERROR_ANSWER_TOO_LARGE;
      }
      e.body_bytes += size;
      if (!streams) e.answer.body.append(data, size);
    }
    for (std::size_t at = 0; streams && at < size; at += kPiece)
      if (const std::int32_t code = e.bring(std::string(data + at, std::min(kPiece, size - at)))) return code;
    return AMZSYNC_OK;
  });
}

int32_t amzsync_exchange_is_wanted(amzsync_exchange* exchange) noexcept {
  return telling(exchange, [](amzsync_exchange& e) {
           std::lock_guard lock(e.mutex);
           return e.listens() ? AMZSYNC_OK : AMZSYNC_ERROR_CANCELLED;
         }) == AMZSYNC_OK
             ? 1
             : 0;
}

void amzsync_exchange_finish(amzsync_exchange* exchange, int32_t code, const char* message) noexcept {
  std::shared_ptr<amzsync_exchange> mine;   // goes last
  telling(exchange, [&](amzsync_exchange& e) -> std::int32_t {
    const std::string why = message ? clean_utf8(std::string_view(message, ::strnlen(message, 300)), 300) : std::string();
    std::lock_guard lock(e.mutex);
    mine = std::move(e.mine);
    if (!mine || !e.wanted) return AMZSYNC_OK;
    Result<net::HttpResponse> outcome(Code::network_error);
    if (code == AMZSYNC_ERROR_TIMEOUT) {
      outcome = Error(Code::timeout, why.empty() ? std::string(code_sentence(Code::timeout)) : why);
    } else if (code != AMZSYNC_OK) {
      outcome = Error(Code::network_error, why.empty() ? std::string(code_sentence(Code::network_error)) : why);
    } else if (e.lacks_a_part) {
      outcome = Error(Code::no_memory);
    } else if (e.answer.status == 0) {
      outcome = Error(Code::network_error, "The host's HTTP client finished an exchange without an answer.");
    } else {
      outcome = std::move(e.answer);
    }
    asio::post(e.loop, [self = mine, o = std::move(outcome)]() mutable { self->settle(std::move(o)); });
    return AMZSYNC_OK;
  });
}

int32_t amzsync_options_set_http_client(amzsync_options* options, const amzsync_http_client* client, void* user_data, amzsync_free_fn free_fn, amzsync_error** err) noexcept {
  return guarded(err, [&]() -> Status {
    if (!options) return missing("options");
    if (!is_live(options)) return Error(Code::invalid_argument, "What was passed as the options was freed, or is another handle.");
    std::optional<HttpClient> taken;
    if (client) {
      constexpr std::uint32_t kMostThreads = 256;
      if (client->size < sizeof(amzsync_http_client)) return Error(Code::setting_invalid, "client->size is too small; set it to sizeof(amzsync_http_client).");
      if (!client->perform) return Error(Code::setting_invalid, "client->perform must not be NULL.");
      if (client->threads > kMostThreads) return Error(Code::setting_invalid, "client->threads must be from 0 to 256.");
      taken = HttpClient{*client, std::make_shared<HostData>(user_data, free_fn)};
      taken->data->keep();
    } else if (free_fn) {
      free_fn(user_data);
    }
    options->options.http_client = std::move(taken);
    return Done{};
  });
}

}  // extern "C"
