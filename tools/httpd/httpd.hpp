// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server over Boost.Beast for our programs: a handful of threads whatever the number of connections, bounds
// on everything a client sends, and streams that stay open (server-sent events). See docs/adr/0002.
//
// Handlers run on the server's threads and must not block; an answer may be given later, from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace httpd {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;
  std::string target;   ///< as sent
  std::string path;     ///< percent-decoded
  std::vector<std::pair<std::string, std::string>> query;   ///< decoded, in order
  std::vector<Header> headers;
  std::string body;
  std::string peer;     ///< address without the port

  std::string header(std::string_view name) const;   ///< first of that name, in any case; "" when absent
  bool has_header(std::string_view name) const;
  std::string param(std::string_view name) const;    ///< first of that name; "" when absent
  bool has_param(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<Header> headers;
  std::string body;
};

/// An answer that goes on until one side ends it. Any thread. Dropping the last reference ends it.
class Stream {
 public:
  virtual ~Stream() = default;
  /// False when the client is gone, or so slow that more than a megabyte waits for it; then the stream is over.
  virtual bool write(std::string bytes) = 0;
  /// Waits until the client has taken all but `bytes` of what was written; false: it is gone. Not on a server thread.
  virtual bool wait_until_taken(std::size_t bytes) = 0;
  /// Calls `next` once, on a server thread, when all that was written is on its way; never where the client goes before. One at a time.
  virtual void when_taken(std::function<void()> next) = 0;
  /// Ends the answer as a whole one, after all that was written.
  virtual void finish() = 0;
  /// Cuts it.
  virtual void close() = 0;
  /// Called once, on a server thread, when the client has gone.
  virtual void on_close(std::function<void()> listener) = 0;
};

/// The right to answer one request, once. Dropped unused it answers 500.
class Responder {
 public:
  struct Session;
  explicit Responder(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) noexcept = default;
  ~Responder();

  void send(Response response);
  /// Begins a stream with these headers.
  std::shared_ptr<Stream> stream(Response head);
  /// For a simulator of bad servers: sends the head and only the first `bytes` of the body, then cuts the connection.
  void send_cut(Response response, std::size_t bytes);
  /// Cuts the connection without an answer.
  void drop();
  /// Never answers; the client has to give up.
  void hang();

 private:
  std::shared_ptr<Session> session_;
};

using Handler = std::function<void(Request, Responder)>;

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                          ///< 0: any free one
  int threads = 1;
  std::size_t max_header = 16U << 10;
  std::size_t max_body = 1U << 20;
  std::chrono::milliseconds read_timeout{15'000};  ///< for a request's head to arrive, and again for its body; then 408
  std::chrono::milliseconds idle_timeout{60'000};  ///< between requests of one connection
  int max_connections = 5'000;
  /// What to say to a request that was refused before a handler saw it (400, 408, 413, 431).
  std::function<Response(int status, std::string_view why)> refuse;
};

class Server {
 public:
  /// Listens at once; throws std::system_error when the address can't be had.
  Server(Options options, Handler handler);
  /// Stops. Every Responder and Stream must be gone before.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  /// Serves on the calling thread and on `threads - 1` more, until a SIGINT or SIGTERM comes, or stop is called. The signals
  /// must be blocked in all threads (block_end_signals).
  void run();
  void stop();
  /// After `run`: has `end` end all that answers requests, on a thread of its own, and sends the answers that come meanwhile, and for so long at most those that are left then. What else
  /// comes is told 503. Nothing is called any more that was given to `after` or `watch`, nor the handler; nobody waits for what a client has not taken.
  void finish(const std::function<void()>& end, std::chrono::milliseconds most);
  /// Calls `work` on a server thread after `delay`, unless the server stops before.
  void after(std::chrono::milliseconds delay, std::function<void()> work);
  /// Calls `ready` on a server thread each time `fd` becomes readable; it stays the caller's.
  void watch(int fd, std::function<void()> ready);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

/// Blocks SIGINT and SIGTERM for this thread and all it will start, so that `run` gets them. To be called first in main.
void block_end_signals();

/// A descriptor that becomes readable with each SIGHUP, which from now on ends no process. To be called before any thread is started.
int hangup_descriptor();
/// Takes note of the signals that came.
void clear_hangup(int descriptor);

/// Lets this process hold as many connections as the system allows it; the usual soft limit of 1,024 is less than that. What it gives: how many
/// descriptors that are.
std::uint64_t raise_descriptor_limit();

/// "127.0.0.1:8090" → address and port; nullopt when it is none.
struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
  bool loopback() const;
};
std::optional<ListenAddress> parse_listen(std::string_view text);

/// Splits `request.target` into path and parameters; false when it is malformed.
bool split_target(Request& request);

/// %XX and (for queries) '+' decoded; nullopt when malformed.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

}  // namespace httpd
