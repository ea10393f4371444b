// SPDX-License-Identifier: Apache-2.0
#include "net/curl_transport.hpp"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <map>
#include <mutex>

#include "base/memory.hpp"
#include "net/public_address.hpp"

namespace amzsync::net {
namespace {

constexpr Duration kSlowAfter = std::chrono::seconds(10);
// A timer that comes so late is one of a process that stood still. What came meanwhile has not been read yet, and is lost where it comes only once.
constexpr Duration kStoodStill = std::chrono::seconds(1);
constexpr Duration kReadsOn = std::chrono::seconds(2);
constexpr long kLeastBytesPerSecond = 1'000;   // of a document, over its timeout: below that it will never be whole

/// One of those that have taken long.
class SlowPlace {
 public:
  explicit SlowPlace(int& taken) : taken_(taken) {}
  SlowPlace(const SlowPlace&) = delete;
  SlowPlace& operator=(const SlowPlace&) = delete;
  ~SlowPlace() { taken_ -= held_ ? 1 : 0; }
  bool take(int most) {
    if (held_ || taken_ >= most) return held_;
    held_ = true;
    ++taken_;
    return true;
  }

 private:
  int& taken_;
  bool held_ = false;
};

using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

struct EasyDeleter {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

/// One exchange under way: owns the easy handle and everything it points to.
struct Transfer {
  HttpRequest request;
  HttpResponse response;
  std::unique_ptr<CURL, EasyDeleter> easy;
  std::unique_ptr<curl_slist, ListDeleter> headers;
  Completion<Result<HttpResponse>> done;
  CancelToken::Registration cancel;
  std::unique_ptr<Clock::Timer> deadline;
  std::array<char, CURL_ERROR_SIZE> why{};
  bool too_large = false, no_memory = false;
};

class CurlTransport final : public HttpTransport {
 public:
  CurlTransport(Executor loop, Clock& clock, CurlOptions options)
      : loop_(std::move(loop)), clock_(clock), options_(std::move(options)), gate_(options_.max_transfers) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi_ = curl_multi_init();
    if (!multi_) throw std::bad_alloc();
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlTransport::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlTransport::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.max_transfers));
  }

  ~CurlTransport() override {
    closing_ = true;
    while (!watches_.empty()) forget(watches_.begin());
    for (auto& [easy, transfer] : transfers_) {
      if (transfer->request.body_to) transfer->request.body_to->on_room(nullptr);
      curl_multi_remove_handle(multi_, easy);
    }
    transfers_.clear();
    curl_multi_cleanup(multi_);
  }

  Async<Result<HttpResponse>> send(HttpRequest request, CancelToken cancel) override {
    if (!is_safe_url(request.url)) {
      if (request.body_to) request.body_to->close();
      co_return Error(Code::invalid_argument, "Only https, or http to a loopback address, is ever used.");
    }
    if (request.public_only && !options_.proxy.empty() && !may_be_public(request.url)) {
      if (request.body_to) request.body_to->close();
      co_return Error(Code::network_error, "A document's address is not a public one.");
    }
    Gate::Pass pass = co_await gate_.enter(cancel);
    const std::shared_ptr<BodyStream> body_to = request.body_to;
    Result<HttpResponse> answer(Code::cancelled);
    if (pass) {
      // Who never answers, or a byte at a time, must not keep everybody else waiting.
      SlowPlace slow(slow_);
      const auto patience = clock_.call_at(clock_.steady() + kSlowAfter, [this, &pass, &slow] {
        if (slow.take(options_.max_slow)) pass.release();
      });
      auto start = [this, &request, &cancel](Completion<Result<HttpResponse>> done) { begin(std::move(request), cancel, std::move(done)); };
      answer = co_await await_completion<Result<HttpResponse>>(std::move(start));
    }
    if (body_to) body_to->close();
    co_return answer;
  }

 private:
  // ---- one transfer ----

  void begin(HttpRequest request, const CancelToken& cancel, Completion<Result<HttpResponse>> done) {
    auto owned = std::make_unique<Transfer>();
    Transfer& t = *owned;
    t.request = std::move(request);
    t.done = std::move(done);
    t.easy.reset(curl_easy_init());
    CURL* easy = t.easy.get();
    if (!easy) return t.done(Code::no_memory);
    set_options(t);
    transfers_.emplace(easy, std::move(owned));
    try {
      t.cancel = cancel.on_cancel([this, easy] { finish(easy, Code::cancelled); });
      if (!t.request.body_to) end_at(t, clock_.steady() + t.request.timeout);
    } catch (...) {
      transfers_.erase(easy);
      throw;
    }
    if (const CURLMcode added = curl_multi_add_handle(multi_, easy); added != CURLM_OK) finish(easy, added == CURLM_OUT_OF_MEMORY ? Code::no_memory : Code::internal);
  }

  void end_at(Transfer& t, Steady due) {
    t.deadline = clock_.call_at(due, [this, easy = t.easy.get(), due] {
      const auto found = transfers_.find(easy);
      if (found == transfers_.end()) return;
      const auto keep = std::move(found->second->deadline);
      if (clock_.steady() - due < kStoodStill) return finish(easy, Error(Code::timeout, "No answer from " + origin_of(found->second->request.url) + ": Timeout was reached."));
      insist([&] { end_at(*found->second, clock_.steady() + kReadsOn); });
    });
  }

  void set_options(Transfer& t) {
    CURL* easy = t.easy.get();
    const auto ms = [](Duration d) { return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()); };
    curl_easy_setopt(easy, CURLOPT_URL, t.request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    const bool through_proxy = !options_.proxy.empty() && !is_loopback_url(t.request.url);
    curl_easy_setopt(easy, CURLOPT_PROXY, through_proxy ? options_.proxy.c_str() : "");
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, through_proxy ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (through_proxy && !options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t.why.data());
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (t.request.body_to) {
      curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
      curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, ms(t.request.timeout) / 1000);
      // Room is made by the reader, on the loop but inside no callback of curl's.
      t.request.body_to->on_room([this, easy] { insist([this, easy] { asio::post(loop_, [this, easy] { go_on(easy); }); }); });
    }
    if (t.request.public_only && !through_proxy) {   // else the proxy finds the address, and has to keep to what is public
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlTransport::open_public_socket);
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, nullptr);
      curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);   // a connection that is there may have been made without that care
    }
    // curl sends again, whatever it is, what breaks on a connection that was kept from before.
    if (t.request.once) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms(options_.connect_timeout));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlTransport::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlTransport::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &t);

    for (const Header& h : t.request.headers) t.headers.reset(curl_slist_append(t.headers.release(), (h.name + ": " + h.value).c_str()));
    t.headers.reset(curl_slist_append(t.headers.release(), "Expect:"));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t.headers.get());
    if (t.request.method != Method::get) {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method_name(t.request.method).data());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t.request.body.data());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.request.body.size()));
    }
  }

  /// Never called from inside one of curl's callbacks.
  void finish(CURL* easy, Result<HttpResponse> result) {
    const auto found = transfers_.find(easy);
    if (found == transfers_.end()) return;
    const std::unique_ptr<Transfer> transfer = std::move(found->second);
    transfers_.erase(found);
    if (transfer->request.body_to) transfer->request.body_to->on_room(nullptr);
    curl_multi_remove_handle(multi_, easy);
    transfer->done(std::move(result));
  }

  void collect_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto found = transfers_.find(easy);
      if (found == transfers_.end()) continue;
      Result<HttpResponse> outcome(Code::no_memory);
      try {
        outcome = outcome_of(*found->second, code);
      } catch (const std::bad_alloc&) {
        // curl tells of it only once.
      }
      finish(easy, std::move(outcome));
    }
  }

  static Result<HttpResponse> outcome_of(Transfer& t, CURLcode code) {
    CURL* easy = t.easy.get();
    if (code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      t.response.status = static_cast<int>(status);
      return std::move(t.response);
    }
    if (t.too_large) return Code::answer_too_large;
    if (t.no_memory || code == CURLE_OUT_OF_MEMORY) return Code::no_memory;
    long proxy_said = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_said);
    if (proxy_said != 0 && proxy_said / 100 != 2) return Error(Code::network_error, "No way to " + origin_of(t.request.url) + ": the proxy answered " + std::to_string(proxy_said) + ".");
    // curl's own sentences name host and cause, never a header or a body. Of TLS only the longer one tells what is wrong.
    const bool of_tls = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CACERT_BADFILE;
    const Code kind = code == CURLE_OPERATION_TIMEDOUT ? Code::timeout : Code::network_error;
    return Error(kind, std::string("No answer from ") + origin_of(t.request.url) + ": " + (of_tls && t.why[0] != '\0' ? t.why.data() : curl_easy_strerror(code)) + ".");
  }

  static curl_socket_t open_public_socket(void*, curlsocktype, curl_sockaddr* address) {
    if (!is_public_address(&address->addr)) return CURL_SOCKET_BAD;
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  /// A paused transfer may go on. It may also be over by now.
  void go_on(CURL* easy) {
    if (!transfers_.contains(easy)) return;
    curl_easy_pause(easy, CURLPAUSE_CONT);
    drive(CURL_SOCKET_TIMEOUT, 0);
  }

  // Nothing may unwind curl's own frames.

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) noexcept {
    auto& t = *static_cast<Transfer*>(user);
    try {
      return take_body(t, {data, size});
    } catch (const std::bad_alloc&) {
      t.no_memory = true;
      return 0;
    }
  }

  static std::size_t take_body(Transfer& t, std::string_view data) {
    const std::size_t size = data.size();
    if (t.request.body_to) {
      long status = 0;
      curl_easy_getinfo(t.easy.get(), CURLINFO_RESPONSE_CODE, &status);
      if (status >= 200 && status < 300) {
        if (t.request.body_to->full()) return CURL_WRITEFUNC_PAUSE;
        t.request.body_to->push(data);
        return size;
      }
    }
    if (t.response.body.size() + size > t.request.max_body) {
      t.too_large = true;
      return 0;
    }
    t.response.body.append(data);
    return size;
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) noexcept {
    auto& t = *static_cast<Transfer*>(user);
    try {
      take_header(t, {data, size});
      return size;
    } catch (const std::bad_alloc&) {
      t.no_memory = true;
      return 0;
    }
  }

  static void take_header(Transfer& t, std::string_view line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {
      t.response.headers.clear();  // a new answer begins (after a 100 Continue)
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    t.response.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  }

  // ---- curl's sockets on the loop ----

  /// A socket that curl waits for. It is curl's, which tells before it closes it (CURL_POLL_REMOVE): then it is let go, and never closed here.
  struct Watch {
    Watch(const Executor& loop, curl_socket_t of) : descriptor(loop), fd(of) {}
    ~Watch() {
      if (descriptor.is_open()) descriptor.release();
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    Descriptor descriptor;
    curl_socket_t fd;
    int wanted = 0;           // CURL_POLL_*
    bool reading = false;     // a wait is under way
    bool writing = false;
    bool gone = false;
  };

  using Watches = std::map<curl_socket_t, std::shared_ptr<Watch>>;

  void forget(Watches::iterator which) {
    which->second->gone = true;
    if (which->second->descriptor.is_open()) which->second->descriptor.release();
    watches_.erase(which);
  }

  /// Never says that it failed: curl takes that for the end of all transfers, and of those to come.
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* user, void*) noexcept {
    auto& self = *static_cast<CurlTransport*>(user);
    if (!self.closing_) insist([&] { self.watch(easy, fd, what); });
    return 0;
  }

  void watch(CURL* easy, curl_socket_t fd, int what) {
    const auto found = watches_.find(fd);
    if (what == CURL_POLL_REMOVE) {
      if (found != watches_.end()) forget(found);
      return;
    }
    std::shared_ptr<Watch> watch = found != watches_.end() ? found->second : std::make_shared<Watch>(loop_, fd);
    if (found == watches_.end()) {
      std::error_code failed;
      watch->descriptor.assign(fd, failed);
      if (failed) {
        asio::post(loop_, [this, easy, why = failed.message()] { insist([&] { finish(easy, Error(Code::network_error, "A connection can't be watched: " + why + ".")); }); });
        return;
      }
      watches_.emplace(fd, watch);
    }
    watch->wanted = what;
    arm(watch);
  }

  void arm(const std::shared_ptr<Watch>& watch) {
    if ((watch->wanted & CURL_POLL_IN) && !watch->reading) {
      watch->descriptor.async_wait(Descriptor::wait_read, [this, watch](std::error_code ec) {
        watch->reading = false;
        ready(watch, CURL_CSELECT_IN, ec);
      });
      watch->reading = true;
    }
    if ((watch->wanted & CURL_POLL_OUT) && !watch->writing) {
      watch->descriptor.async_wait(Descriptor::wait_write, [this, watch](std::error_code ec) {
        watch->writing = false;
        ready(watch, CURL_CSELECT_OUT, ec);
      });
      watch->writing = true;
    }
  }

  void ready(const std::shared_ptr<Watch>& watch, int what, std::error_code ec) {
    if (watch->gone || ec == asio::error::operation_aborted) return;  // `this` may be gone too
    if (!(watch->wanted & (what == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT))) return;
    drive(watch->fd, ec ? CURL_CSELECT_ERR : what);
    if (!watch->gone) insist([&] { arm(watch); });
  }

  static int on_timer(CURLM*, long timeout_ms, void* user) noexcept {
    auto& self = *static_cast<CurlTransport*>(user);
    self.timer_.reset();
    if (timeout_ms >= 0 && !self.closing_) insist([&] { self.call_at(self.clock_.steady() + std::chrono::milliseconds(timeout_ms)); });
    return 0;
  }

  void call_at(Steady at) {
    timer_ = clock_.call_at(at, [this] {
      const auto keep = std::move(timer_);  // curl may set the next one from inside
      drive(CURL_SOCKET_TIMEOUT, 0);
    });
  }

  void drive(curl_socket_t fd, int what) {
    int running = 0;
    const CURLMcode acted = curl_multi_socket_action(multi_, fd, what, &running);
    collect_finished();
    // Then it does not say which of them it would still tell of.
    if (acted == CURLM_OUT_OF_MEMORY || acted == CURLM_INTERNAL_ERROR)
      while (!transfers_.empty()) finish(transfers_.begin()->first, acted == CURLM_OUT_OF_MEMORY ? Code::no_memory : Code::internal);
  }

  Executor loop_;
  Clock& clock_;
  CurlOptions options_;
  Gate gate_;
  int slow_ = 0;
  CURLM* multi_ = nullptr;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers_;
  Watches watches_;
  std::unique_ptr<Clock::Timer> timer_;
  bool closing_ = false;
};

}  // namespace

std::unique_ptr<HttpTransport> make_curl_transport(Executor loop, Clock& clock, CurlOptions options) {
  return std::make_unique<CurlTransport>(std::move(loop), clock, std::move(options));
}

}  // namespace amzsync::net
