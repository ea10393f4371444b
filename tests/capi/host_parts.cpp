// SPDX-License-Identifier: Apache-2.0
// The whole flow with an HTTP client and a token store of the host's: host-parts AMAZON_URL DATABASE REFRESH_TOKEN blocking|later|cpp
// The engine is told an address at which nobody is, and the client knows better: whatever reaches Amazon went through it. blocking: the host's functions do the work
// themselves; later: they leave it to threads of the host's; cpp: by the types of amzsync.hpp.
#include <amzsync/amzsync.hpp>
#include <curl/curl.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<int> failures{0};
void check(bool right, const char* what) {
  if (right) return;
  ++failures;
  std::fprintf(stderr, "%s\n", what);
}

constexpr const char* kNowhere = "http://127.9.9.9:1";

/// Threads of the host's own.
class Workers {
 public:
  explicit Workers(int count) {
    for (int n = 0; n < count; ++n) threads_.emplace_back([this] { work(); });
  }
  ~Workers() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }
    for (std::thread& t : threads_) t.join();
  }
  void add(std::function<void()> job) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_one();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ended_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

/// What both of the host's parts have in common.
struct Host {
  std::string amazon;
  bool later = false;
  Workers workers{6};
  std::atomic<int> exchanges{0}, documents{0}, freed{0};
  std::mutex mutex;
  std::map<std::string, std::string> vault;
  amzsync_engine* engine = nullptr;

  void run(std::function<void()> job) {
    if (later)
      workers.add(std::move(job));
    else
      job();
  }
};

// ---- the client ----

size_t on_header(char* line, size_t size, size_t count, void* data) {
  auto* exchange = static_cast<amzsync_exchange*>(data);
  std::string text(line, size * count);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.rfind("HTTP/", 0) == 0) {
    amzsync_exchange_answer(exchange, std::atoi(text.c_str() + text.find(' ')));
  } else if (const auto colon = text.find(':'); colon != std::string::npos) {
    std::string value = text.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    check(amzsync_exchange_answer_header(exchange, text.substr(0, colon).c_str(), value.c_str()) != AMZSYNC_ERROR_INVALID_ARGUMENT, "a header was refused");
  }
  return size * count;
}
size_t on_body(char* piece, size_t size, size_t count, void* data) {
  return amzsync_exchange_answer_body(static_cast<amzsync_exchange*>(data), piece, size * count) == AMZSYNC_OK ? size * count : 0;
}

void exchange_with_curl(Host& host, amzsync_exchange* exchange) {
  std::string url = amzsync_exchange_url(exchange);
  const bool to_amazon = url.rfind(kNowhere, 0) == 0;
  if (to_amazon) url = host.amazon + url.substr(std::strlen(kNowhere));
  ++(to_amazon ? host.exchanges : host.documents);
  CURL* curl = curl_easy_init();
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  const char* value = nullptr;
  for (size_t n = 0; const char* name = amzsync_exchange_header(exchange, n, &value); ++n) headers = curl_slist_append(headers, (std::string(name) + ": " + value).c_str());
  size_t size = 0;
  const char* body = amzsync_exchange_body(exchange, &size);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(amzsync_exchange_timeout_ms(exchange)));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
  if (std::strcmp(amzsync_exchange_method(exchange), "GET") != 0) {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, amzsync_exchange_method(exchange));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
  }
  const CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  amzsync_exchange_finish(exchange, code == CURLE_OK ? AMZSYNC_OK : code == CURLE_OPERATION_TIMEDOUT ? AMZSYNC_ERROR_TIMEOUT : AMZSYNC_ERROR_NETWORK_ERROR, curl_easy_strerror(code));
}

void perform(void* data, amzsync_exchange* exchange) {
  auto& host = *static_cast<Host*>(data);
  check(amzsync_exchange_is_wanted(exchange) == 1, "an exchange that nobody wants");
  check(amzsync_exchange_answer_body(exchange, "x", 1) == AMZSYNC_ERROR_INVALID_ARGUMENT, "a body before the status");
  check(amzsync_exchange_answer(exchange, 99) == AMZSYNC_ERROR_INVALID_ARGUMENT, "a status that is none");
  host.run([&host, exchange] { exchange_with_curl(host, exchange); });
}

// ---- the vault ----

void put(void* data, const char* user, const char* name, const char* token, amzsync_token_call* call) {
  auto& host = *static_cast<Host*>(data);
  check(std::strcmp(user, "user-1") == 0 && std::strlen(name) == 32, "no user or name");
  check(amzsync_close(host.engine) == AMZSYNC_ERROR_WOULD_DEADLOCK && amzsync_check(host.engine, nullptr) == AMZSYNC_ERROR_WOULD_DEADLOCK, "it would wait for itself");
  host.run([&host, call, n = std::string(name), t = std::string(token)] {
    std::lock_guard lock(host.mutex);
    host.vault[n] = t;
    amzsync_token_call_done(call, AMZSYNC_OK, nullptr, nullptr);
  });
}
void get(void* data, const char* name, amzsync_token_call* call) {
  auto& host = *static_cast<Host*>(data);
  host.run([&host, call, n = std::string(name)] {
    std::lock_guard lock(host.mutex);
    const auto found = host.vault.find(n);
    amzsync_token_call_done(call, found == host.vault.end() ? AMZSYNC_ERROR_NOT_FOUND : AMZSYNC_OK, found == host.vault.end() ? nullptr : found->second.c_str(), nullptr);
  });
}
void forget(void* data, const char* name, amzsync_token_call* call) {
  auto& host = *static_cast<Host*>(data);
  host.run([&host, call, n = std::string(name)] {
    std::lock_guard lock(host.mutex);
    host.vault.erase(n);
    amzsync_token_call_done(call, AMZSYNC_OK, nullptr, nullptr);
  });
}

void on_freed(void* data) { ++static_cast<Host*>(data)->freed; }

amzsync_http_client client() {
  amzsync_http_client table{};
  table.size = sizeof table;
  table.perform = perform;
  return table;
}
amzsync_token_store tokens() {
  amzsync_token_store table{};
  table.size = sizeof table;
  table.put = put;
  table.get = get;
  table.remove = forget;
  return table;
}

/// The same by amzsync.hpp.
struct CurlTarget {
  amzsync::Exchange& exchange;
};
size_t on_cpp_header(char* line, size_t size, size_t count, void* data) {
  auto& exchange = static_cast<CurlTarget*>(data)->exchange;
  std::string text(line, size * count);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.rfind("HTTP/", 0) == 0)
    exchange.answer(std::atoi(text.c_str() + text.find(' ')));
  else if (const auto colon = text.find(": "); colon != std::string::npos)
    exchange.answer_header(text.substr(0, colon), text.substr(colon + 2));
  return size * count;
}
size_t on_cpp_body(char* piece, size_t size, size_t count, void* data) { return static_cast<CurlTarget*>(data)->exchange.answer_body({piece, size * count}) ? size * count : 0; }

void perform_cpp(Host& host, amzsync::Exchange exchange) {
  std::string url = exchange.url();
  const bool to_amazon = url.rfind(kNowhere, 0) == 0;
  if (to_amazon) url = host.amazon + url.substr(std::strlen(kNowhere));
  if (++(to_amazon ? host.exchanges : host.documents) % 50 == 3 && exchange.method() == "GET") throw std::runtime_error("now and then");   // no answer: it is tried again
  CURL* curl = curl_easy_init();
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : exchange.headers()) headers = curl_slist_append(headers, (name + ": " + value).c_str());
  CurlTarget target{exchange};
  const std::string method(exchange.method());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.timeout().count()));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_cpp_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &target);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_cpp_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &target);
  if (method != "GET") {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, exchange.body().data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.body().size()));
  }
  const CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  exchange.finish(code == CURLE_OK ? AMZSYNC_OK : AMZSYNC_ERROR_NETWORK_ERROR, curl_easy_strerror(code));
}

int by_cpp(Host& host, const std::string& database, const std::string& token) {
  {
    const auto part = std::shared_ptr<void>(&host, on_freed);   // held by both functions
    amzsync::Options options;
    amzsync::TokenStore vault;
    vault.put = [&host, part](const std::string&, const std::string& name, const std::string& t) {
      std::lock_guard lock(host.mutex);
      return host.vault.emplace(name, t).second;
    };
    vault.get = [&host](const std::string& name) -> std::optional<std::string> {
      std::lock_guard lock(host.mutex);
      const auto found = host.vault.find(name);
      return found == host.vault.end() ? std::nullopt : std::optional(found->second);
    };
    vault.remove = [&host](const std::string& name) {
      std::lock_guard lock(host.mutex);
      host.vault.erase(name);
      return true;
    };
    if (!options.set_store("sqlite:" + database) || !options.set_app("client", "secret", "app", "https://host.example/callback") ||
        !options.set_master_key("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=") || !options.set_endpoints(kNowhere, kNowhere, kNowhere) || !options.set_token_store(vault) ||
        !options.set_log(AMZSYNC_LOG_DEBUG, [](std::int32_t, std::string_view, std::string_view) { throw std::runtime_error("a sink's"); }) ||
        !options.set_http_client([&host, part](amzsync::Exchange exchange) { perform_cpp(host, std::move(exchange)); }, 4))
      return 2;
    auto engine = amzsync::Engine::open(options);
    if (!engine) return 1;
    std::atomic<int> heard{0}, thrown{0};
    const auto listens = engine->subscribe("user-1", 0, [&](const amzsync_event*) { ++heard; throw std::runtime_error("a listener's"); }, [&](std::exception_ptr) { ++thrown; throw 1; });
    auto run = engine->connect("user-1", token);
    check(static_cast<bool>(run), "not connected");
    if (!run) return 1;
    auto over = engine->sync_wait("user-1", std::string(run->sync_id()));
    auto recoveries = engine->recoveries("user-1");
    check(over && recoveries, "no end, or no recoveries");
    check(listens && engine->unsubscribe(*listens) && heard > 1 && thrown == heard, "what a listener throws ends something");
    if (over && recoveries) std::printf("%s\n%s\n%d %d\n", std::string(over->status()).c_str(), std::string(recoveries->json()).c_str(), host.exchanges.load(), host.documents.load());
    check(host.vault.size() == 1 && host.vault.begin()->second == token, "the token does not lie with the host");
  }
  check(host.freed == 1, "not freed once");
  return failures == 0 ? 0 : 1;
}

void wrong_tables(amzsync_options* options, Host& host) {
  constexpr int32_t kWrong = AMZSYNC_ERROR_SETTING_INVALID, kNone = AMZSYNC_ERROR_INVALID_ARGUMENT;
  amzsync_http_client c = client();
  amzsync_token_store t = tokens();
  check(amzsync_options_set_http_client(nullptr, &c, &host, on_freed, nullptr) == kNone && amzsync_options_set_token_store(nullptr, &t, &host, on_freed, nullptr) == kNone, "no options");
  c.size = 4;
  t.size = 4;
  check(amzsync_options_set_http_client(options, &c, &host, on_freed, nullptr) == kWrong && amzsync_options_set_token_store(options, &t, &host, on_freed, nullptr) == kWrong, "a small table");
  c = client();
  t = tokens();
  c.threads = t.threads = 257;
  check(amzsync_options_set_http_client(options, &c, &host, on_freed, nullptr) == kWrong && amzsync_options_set_token_store(options, &t, &host, on_freed, nullptr) == kWrong, "too many threads");
  c = client();
  t = tokens();
  c.perform = nullptr;
  t.remove = nullptr;
  check(amzsync_options_set_http_client(options, &c, &host, on_freed, nullptr) == kWrong && amzsync_options_set_token_store(options, &t, &host, on_freed, nullptr) == kWrong, "no function");
  check(host.freed == 0, "freed although it was refused");
  amzsync_exchange_finish(nullptr, AMZSYNC_OK, nullptr);
  amzsync_token_call_done(nullptr, AMZSYNC_OK, nullptr, nullptr);
  amzsync_exchange_finish(reinterpret_cast<amzsync_exchange*>(options), AMZSYNC_OK, nullptr);
  amzsync_token_call_done(reinterpret_cast<amzsync_token_call*>(options), AMZSYNC_OK, nullptr, nullptr);
  auto* other = reinterpret_cast<amzsync_exchange*>(options);
  for (amzsync_exchange* none : {static_cast<amzsync_exchange*>(nullptr), other}) {
    size_t size = 7;
    check(!*amzsync_exchange_method(none) && !*amzsync_exchange_url(none) && !amzsync_exchange_header(none, 0, nullptr) && !*amzsync_exchange_body(none, &size) && size == 0, "text of no exchange");
    check(amzsync_exchange_timeout_ms(none) == 0 && amzsync_exchange_rules(none) == 0 && amzsync_exchange_is_wanted(none) == 0, "numbers of no exchange");
    check(amzsync_exchange_answer(none, 200) == kNone && amzsync_exchange_answer_header(none, "a", "b") == kNone && amzsync_exchange_answer_body(none, "", 0) == kNone, "an answer to no exchange");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Host host;
  host.amazon = argv[1];
  host.later = std::strcmp(argv[4], "later") == 0;
  if (std::strcmp(argv[4], "cpp") == 0) return by_cpp(host, argv[2], argv[3]);
  amzsync_options* options = amzsync_options_new();
  wrong_tables(options, host);
  const amzsync_http_client c = client();
  const amzsync_token_store t = tokens();
  const bool is_set = amzsync_options_set_store(options, (std::string("sqlite:") + argv[2]).c_str(), nullptr) == AMZSYNC_OK &&
                      amzsync_options_set_app(options, "client", "secret", "app", "https://host.example/callback", nullptr) == AMZSYNC_OK &&
                      amzsync_options_set_master_key(options, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", nullptr) == AMZSYNC_OK &&
                      amzsync_options_set_endpoints(options, kNowhere, kNowhere, kNowhere, nullptr) == AMZSYNC_OK &&
                      amzsync_options_set_http_client(options, &c, &host, on_freed, nullptr) == AMZSYNC_OK &&
                      amzsync_options_set_token_store(options, &t, &host, on_freed, nullptr) == AMZSYNC_OK;
  check(is_set, "no options");
  amzsync_engine* engine = nullptr;
  amzsync_error* err = nullptr;
  check(amzsync_open(options, &engine, &err) == AMZSYNC_OK, "no engine");
  amzsync_options_free(options);
  host.engine = engine;
  amzsync_answer *run = nullptr, *over = nullptr, *recoveries = nullptr;
  if (amzsync_connect(engine, "user-1", argv[3], nullptr, &run, &err) != AMZSYNC_OK) {
    std::fprintf(stderr, "connect: %s\n", amzsync_error_message(err));
    return 1;
  }
  check(amzsync_sync_wait(engine, "user-1", amzsync_answer_sync_id(run), AMZSYNC_WAIT_FOREVER, &over, nullptr) == AMZSYNC_OK, "no end");
  check(amzsync_recoveries(engine, "user-1", 0, &recoveries, nullptr) == AMZSYNC_OK, "no recoveries");
  std::printf("%s\n%s\n%d %d\n", amzsync_answer_status(over), amzsync_answer_json(recoveries, nullptr), host.exchanges.load(), host.documents.load());
  {
    std::lock_guard lock(host.mutex);
    check(host.vault.size() == 1 && host.vault.begin()->second == argv[3], "the token does not lie with the host");
  }
  check(amzsync_disconnect(engine, "user-1", "me", nullptr) == AMZSYNC_OK, "not disconnected");
  amzsync_answer_free(run);
  amzsync_answer_free(over);
  amzsync_answer_free(recoveries);
  check(host.freed == 0, "freed while the engine is open");
  check(amzsync_close(engine) == AMZSYNC_OK, "not closed");
  check(host.freed == 2, "not freed once each");
  return failures == 0 ? 0 : 1;
}
