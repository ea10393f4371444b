// SPDX-License-Identifier: Apache-2.0
#include "httpd/httpd.hpp"

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <utility>   // Boost 1.74 forgets it

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <mutex>
#include <thread>

namespace httpd {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kMostWaiting = 1U << 20;   // bytes that a slow reader of a stream may leave unread
constexpr std::size_t kMostAtOnce = 64 * 1024;   // of a stream, in the time that a client is given for what is written to it

bool same_word(std::string_view a, std::string_view b) { return beast::iequals({a.data(), a.size()}, {b.data(), b.size()}); }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool split_target(Request& request) {
  std::string_view target = request.target;
  if (target.empty() || target.front() != '/') return false;
  std::string_view query;
  if (const std::size_t mark = target.find('?'); mark != std::string_view::npos) {
    query = target.substr(mark + 1);
    target = target.substr(0, mark);
  }
  auto path = percent_decode(target, false);
  if (!path) return false;
  request.path = std::move(*path);
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    auto name = percent_decode(part.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("") : percent_decode(part.substr(equals + 1), true);
    if (!name || !value) return false;
    request.query.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0 || high + low == 0) return std::nullopt;   // a text with a NUL ends there for whoever reads it by C's rules
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::optional<ListenAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  const std::string_view digits = text.substr(colon + 1);
  unsigned long port = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    port = port * 10 + static_cast<unsigned long>(c - '0');
    if (port > 65'535) return std::nullopt;
  }
  error_code ec;
  asio::ip::make_address(std::string(host), ec);
  if (digits.empty() || ec) return std::nullopt;
  return ListenAddress{std::string(host), static_cast<std::uint16_t>(port)};
}

bool ListenAddress::loopback() const {
  error_code ec;
  const auto parsed = asio::ip::make_address(address, ec);
  return !ec && parsed.is_loopback();
}

std::string Request::header(std::string_view name) const {
  for (const Header& h : headers)
    if (same_word(h.name, name)) return h.value;
  return {};
}
bool Request::has_header(std::string_view name) const {
  for (const Header& h : headers)
    if (same_word(h.name, name)) return true;
  return false;
}
std::string Request::param(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}
bool Request::has_param(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return true;
  return false;
}

namespace {

int given(int descriptor) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "this process may open too few files (ulimit -n)");
  return descriptor;
}

/// Readable with each of these signals, which the thread must have blocked.
int descriptor_of(std::initializer_list<int> which) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : which) sigaddset(&signals, signal);
  return given(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

struct Server::Impl {
  Impl(Options o, Handler h) : options(std::move(o)), handler(std::move(h)), io(options.threads), acceptor(io) {}

  Options options;
  Handler handler;
  std::atomic<int> connections{0};
  std::atomic<int> owed{0};         // answers
  std::atomic<bool> finishing{false};
  asio::io_context io;   // its end is the end of every connection
  tcp::acceptor acceptor;
  asio::steady_timer accept_again{io};
  asio::posix::stream_descriptor end_signals{io};   // readable once the process is to end
  std::vector<std::thread> threads;
  std::vector<std::unique_ptr<asio::posix::stream_descriptor>> watched;

  void accept();
  void watch_again(asio::posix::stream_descriptor& descriptor, std::shared_ptr<std::function<void()>> ready) {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [this, &descriptor, ready](error_code ec) {
      if (ec) return;
      (*ready)();
      watch_again(descriptor, ready);
    });
  }
};

/// One connection: requests one after another, then perhaps a stream.
struct Responder::Session : std::enable_shared_from_this<Responder::Session> {
  Session(Server::Impl* server_impl, tcp::socket socket) : server(server_impl), stream(std::move(socket)) { ++server->connections; }
  ~Session() {
    settle();
    --server->connections;
  }

  Server::Impl* server;
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
  std::optional<http::request_parser<http::string_body>> parser;
  std::optional<http::response<http::string_body>> response;
  std::string raw;                // head of a stream, or an answer that is to be cut
  bool keep_alive = true;
  bool head_only = false;
  bool owes = false;              // a request was taken and has no answer yet
  void settle() {
    if (std::exchange(owes, false)) --server->owed;
  }

  // How long the client may take to send what is being read.
  asio::steady_timer deadline{stream.get_executor()};
  int reading = 0;                // number of the read that the deadline is for
  bool late = false;

  // A stream's life; touched on the connection's strand only, but for `waiting_bytes`.
  std::deque<std::string> waiting;
  std::atomic<std::size_t> waiting_bytes{0};
  std::mutex taken_mutex;
  std::condition_variable taken;
  std::atomic<bool> over{false};
  bool writing = false, finishing = false;
  std::function<void()> taken_next, gone;

  /// Ends the reads from here on after `span`, unless another span begins. Not the stream's own expiry, because that closes the
  /// connection before the client can be told.
  void limit(std::chrono::milliseconds span) {
    late = false;
    deadline.expires_after(span);
    deadline.async_wait([weak = weak_from_this(), number = ++reading](error_code ec) {
      const auto self = weak.lock();
      if (ec || !self || self->reading != number) return;
      self->late = true;
      self->stream.cancel();
    });
  }
  void no_limit() {
    ++reading;
    deadline.cancel();
  }

  void read(bool first) {
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(server->options.max_header));
    parser->body_limit(server->options.max_body);
    stream.expires_never();
    limit(first ? server->options.read_timeout : server->options.idle_timeout);
    auto self = shared_from_this();
    http::async_read_header(stream, buffer, *parser, [self, first](error_code ec, std::size_t) {
      if (ec) return self->refuse(ec, first);
      self->limit(self->server->options.read_timeout);
      http::async_read(self->stream, self->buffer, *self->parser, [self](error_code failed, std::size_t) {
        if (failed) return self->refuse(failed, true);
        self->no_limit();
        self->dispatch();
      });
    });
  }

  /// `begun`: the client owes us the rest of a request.
  void refuse(error_code ec, bool begun) {
    no_limit();
    if (late && (begun || parser->got_some())) return answer_refusal(408, "The request took too long to arrive.");
    int status = 400;
    std::string_view why = "The request could not be read.";
    if (ec == http::error::end_of_stream || ec == asio::error::operation_aborted || ec == asio::error::connection_reset || ec == asio::error::eof || ec == http::error::partial_message)
      return close();
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
      status = 431;
      why = "The request's headers are too large.";
    } else if (ec == http::error::body_limit) {
      status = 413;
      why = "The request's body is too large.";
    }
    answer_refusal(status, why);
  }

  void answer_refusal(int status, std::string_view why) {
    keep_alive = false;
    write(server->options.refuse ? server->options.refuse(status, why) : Response{status, "text/plain", {}, std::string(why)});
  }

  void dispatch() {
    const auto& message = parser->get();
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message) request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    keep_alive = message.keep_alive();
    head_only = message.method() == http::verb::head;
    request.body = std::move(parser->get().body());
    error_code ec;
    const auto remote = stream.socket().remote_endpoint(ec);
    if (!ec) request.peer = remote.address().to_string();
    if (!split_target(request)) return answer_refusal(400, "The request's address is malformed.");
    owes = true;
    ++server->owed;
    server->handler(std::move(request), Responder(shared_from_this()));
  }

  void write(Response r) {
    response.emplace(static_cast<http::status>(r.status), 11);
    if (!r.content_type.empty()) response->set(http::field::content_type, r.content_type);
    for (const Header& h : r.headers) response->insert(h.name, h.value);
    response->keep_alive(keep_alive);
    const std::size_t length = r.body.size();
    if (!head_only) response->body() = std::move(r.body);
    if (r.status != 204 && r.status != 304) response->content_length(length);   // which have no body, and tell no length of none (RFC 9110, 8.6)
    stream.expires_after(server->options.read_timeout);
    auto self = shared_from_this();
    if (head_only) {
      auto serializer = std::make_shared<http::response_serializer<http::string_body>>(*response);
      http::async_write_header(stream, *serializer, [self, serializer](error_code ec, std::size_t) { self->after_write(ec); });
      return;
    }
    http::async_write(stream, *response, [self](error_code ec, std::size_t) { self->after_write(ec); });
  }

  void after_write(error_code ec) {
    settle();
    if (ec || !keep_alive) return close();
    response.reset();
    read(false);
  }

  void close() {
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream.socket().close(ignored);
  }

  std::string head_of(const Response& r, std::string_view extra) const {
    std::string head = "HTTP/1.1 " + std::to_string(r.status) + " " + std::string(http::obsolete_reason(static_cast<http::status>(r.status))) + "\r\n";
    if (!r.content_type.empty()) head += "Content-Type: " + r.content_type + "\r\n";
    for (const Header& h : r.headers) head += h.name + ": " + h.value + "\r\n";
    return head + std::string(extra) + "\r\n";
  }

  // ---- streams ----

  void begin_stream(const Response& r) {
    settle();
    raw = head_of(r, "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n");
    stream.expires_never();
    auto self = shared_from_this();
    writing = true;
    asio::async_write(stream, asio::buffer(raw), [self](error_code ec, std::size_t) {
      self->writing = false;
      if (ec) return self->end_stream();
      self->write_on();
    });
    watch_for_end();
  }

  /// A client that goes away is noticed by the end of what it sends.
  void watch_for_end() {
    auto self = shared_from_this();
    stream.socket().async_wait(tcp::socket::wait_read, [self](error_code ec) {
      if (ec) return self->end_stream();
      char scrap[256];
      error_code failed;
      self->stream.socket().non_blocking(true, failed);
      const std::size_t n = self->stream.socket().read_some(asio::buffer(scrap), failed);
      if ((failed && failed != asio::error::would_block) || (!failed && n == 0)) return self->end_stream();
      self->watch_for_end();
    });
  }

  void pump() {
    if (writing || over) return;
    if (waiting.empty() && !finishing) return;
    writing = true;
    const bool last = waiting.empty();
    raw.clear();
    while (!waiting.empty() && raw.size() < kMostAtOnce) {
      char size[24];
      std::snprintf(size, sizeof size, "%zx\r\n", waiting.front().size());
      raw += size + waiting.front() + "\r\n";
      waiting_bytes -= waiting.front().size();
      waiting.pop_front();
    }
    if (last) raw = "0\r\n\r\n";
    auto self = shared_from_this();
    stream.expires_after(server->options.idle_timeout);
    asio::async_write(stream, asio::buffer(raw), [self, last](error_code ec, std::size_t) {
      self->writing = false;
      if (ec || last) return self->end_stream();
      self->stream.expires_never();
      self->tell_taken();
      self->write_on();
    });
  }

  void write_on() {
    pump();
    if (!waiting.empty()) return;
    if (auto next = std::exchange(taken_next, nullptr)) next();
  }

  /// Under the lock, so that nobody who is about to wait misses it.
  void tell_taken() {
    std::lock_guard lock(taken_mutex);
    taken.notify_all();
  }

  void end_stream() {
    over = true;
    taken_next = nullptr;
    tell_taken();
    close();
    if (auto listener = std::exchange(gone, nullptr)) listener();
  }
};

namespace {

class SessionStream final : public Stream {
 public:
  explicit SessionStream(std::shared_ptr<Responder::Session> session) : session_(std::move(session)) {}
  ~SessionStream() override {
    if (!finished_) close();
  }

  bool write(std::string bytes) override {
    if (session_->over) return false;
    if (session_->waiting_bytes + bytes.size() > kMostWaiting) {
      close();
      return false;
    }
    session_->waiting_bytes += bytes.size();
    asio::post(session_->stream.get_executor(), [s = session_, b = std::move(bytes)]() mutable {
      s->waiting.push_back(std::move(b));
      s->pump();
    });
    return true;
  }
  bool wait_until_taken(std::size_t bytes) override {
    std::unique_lock lock(session_->taken_mutex);
    const auto over = [&] { return session_->over || session_->server->finishing || session_->server->io.stopped(); };
    while (!over() && session_->waiting_bytes > bytes) session_->taken.wait_for(lock, std::chrono::milliseconds(100));
    return !over();
  }
  void when_taken(std::function<void()> next) override {
    asio::post(session_->stream.get_executor(), [s = session_, n = std::move(next)]() mutable {
      if (s->over) return;
      if (!s->writing) return n();
      s->taken_next = std::move(n);
    });
  }
  void finish() override {
    finished_ = true;   // the end is on its way; dropping this must not cut it short
    asio::post(session_->stream.get_executor(), [s = session_] {
      s->finishing = true;
      s->pump();
    });
  }
  void close() override {
    if (session_->over) return;
    asio::post(session_->stream.get_executor(), [s = session_] {
      if (!s->over) s->end_stream();
    });
  }
  void on_close(std::function<void()> listener) override {
    asio::post(session_->stream.get_executor(), [s = session_, l = std::move(listener)]() mutable {
      if (s->over) return l();
      s->gone = std::move(l);
    });
  }

 private:
  std::shared_ptr<Responder::Session> session_;
  std::atomic<bool> finished_{false};
};

}  // namespace

Responder::~Responder() {
  if (!session_) return;
  send({500, "text/plain", {}, "The request was not answered."});
}

void Responder::send(Response response) {
  auto session = std::exchange(session_, nullptr);
  asio::dispatch(session->stream.get_executor(), [session, r = std::move(response)]() mutable { session->write(std::move(r)); });
}

std::shared_ptr<Stream> Responder::stream(Response head) {
  auto session = std::exchange(session_, nullptr);
  asio::dispatch(session->stream.get_executor(), [session, h = std::move(head)] { session->begin_stream(h); });
  return std::make_shared<SessionStream>(session);
}

void Responder::send_cut(Response response, std::size_t bytes) {
  auto session = std::exchange(session_, nullptr);
  asio::dispatch(session->stream.get_executor(), [session, r = std::move(response), bytes] {
    session->raw = session->head_of(r, "Content-Length: " + std::to_string(r.body.size()) + "\r\n") + r.body.substr(0, bytes);
    asio::async_write(session->stream, asio::buffer(session->raw), [session](error_code, std::size_t) { session->close(); });
  });
}

void Responder::drop() {
  auto session = std::exchange(session_, nullptr);
  asio::dispatch(session->stream.get_executor(), [session] {
    error_code ignored;
    session->stream.socket().set_option(asio::socket_base::linger(true, 0), ignored);   // a reset, not an orderly end
    session->stream.socket().close(ignored);
  });
}

void Responder::hang() {
  auto session = std::exchange(session_, nullptr);
  asio::dispatch(session->stream.get_executor(), [session] { session->watch_for_end(); });
}

void Server::Impl::accept() {
  acceptor.async_accept(asio::make_strand(io), [this](error_code ec, tcp::socket socket) {
    if (!acceptor.is_open()) return;
    if (!ec && connections < options.max_connections) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<Responder::Session>(this, std::move(socket))->read(true);
    }
    if (ec != asio::error::no_descriptors && ec != boost::system::errc::too_many_files_open_in_system) return accept();
    // The connection still waits in line: asking again at once would do nothing but burn the processor.
    accept_again.expires_after(std::chrono::milliseconds(100));
    accept_again.async_wait([this](error_code ended) {
      if (!ended) accept();
    });
  });
}

Server::Server(Options options, Handler handler) : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {
  const tcp::endpoint endpoint(asio::ip::make_address(impl_->options.address), impl_->options.port);
  impl_->acceptor.open(endpoint.protocol());
  impl_->acceptor.set_option(asio::socket_base::reuse_address(true));
  impl_->acceptor.bind(endpoint);
  impl_->acceptor.listen(1024);
  impl_->end_signals.assign(descriptor_of({SIGINT, SIGTERM}));
}

Server::~Server() { stop(); }

std::uint16_t Server::port() const { return impl_->acceptor.local_endpoint().port(); }

std::uint64_t raise_descriptor_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return RLIM_INFINITY;
  struct rlimit most = limit;
  most.rlim_cur = most.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &most) == 0 ? most.rlim_cur : limit.rlim_cur;
}

void block_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int hangup_descriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return descriptor_of({SIGHUP});
}

void clear_hangup(int descriptor) {
  signalfd_siginfo info;
  while (::read(descriptor, &info, sizeof info) > 0) {
  }
}

void Server::run() {
  impl_->end_signals.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code ec) {
    if (!ec) impl_->io.stop();
  });
  asio::post(impl_->io, [impl = impl_.get()] { impl->accept(); });
  for (int i = 1; i < impl_->options.threads; ++i) impl_->threads.emplace_back([impl = impl_.get()] { impl->io.run(); });
  impl_->io.run();
  stop();
  error_code ignored;
  impl_->acceptor.close(ignored);   // who comes now is refused at once
}

void Server::finish(const std::function<void()>& end, std::chrono::milliseconds most) {
  impl_->finishing = true;
  impl_->watched.clear();
  impl_->handler = [](const Request&, Responder responder) { responder.send({503, "text/plain", {{"Connection", "close"}}, "The server is about to end."}); };
  impl_->io.restart();
  bool ended = false;
  auto open = asio::make_work_guard(impl_->io);
  std::thread ending([&] {
    end();
    asio::post(impl_->io, [&] { ended = true; });
  });
  while (!ended) impl_->io.run_one();
  ending.join();
  open.reset();
  const auto until = std::chrono::steady_clock::now() + most;
  while (impl_->owed > 0 && impl_->io.run_one_until(until) > 0) {
  }
  stop();
}

void Server::stop() {
  impl_->io.stop();
  for (std::thread& t : impl_->threads)
    if (t.joinable()) t.join();
  impl_->threads.clear();
}

void Server::after(std::chrono::milliseconds delay, std::function<void()> work) {
  auto timer = std::make_shared<asio::steady_timer>(impl_->io, delay);
  timer->async_wait([timer, impl = impl_.get(), work = std::move(work)](error_code ec) {
    if (!ec && !impl->finishing) work();
  });
}

void Server::watch(int fd, std::function<void()> ready) {
  impl_->watched.push_back(std::make_unique<asio::posix::stream_descriptor>(impl_->io, given(::dup(fd))));
  impl_->watch_again(*impl_->watched.back(), std::make_shared<std::function<void()>>(std::move(ready)));
}

}  // namespace httpd
