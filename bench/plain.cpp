// SPDX-License-Identifier: Apache-2.0
// What the sync of money is measured against: the loop that a good programmer writes in an afternoon, with the same libraries. It reads the same pages and stores the same rows, and
// leaves out what the product is for: usage plans, repetition, changes, gaps, exactness, taking up again.
//
// plain WAY API URL TOKEN DAYS [DATABASE]: WAY is fetch (pages, looked at for the next one's token alone), parse (only the parsing of them), default or tuned (fetch, parse and
// store, with SQLite as it is or with amzsync's pragmas); API is v0 or 2024-06-19. One JSON document: seconds, pages, bytes, rows, lines.
#include <curl/curl.h>
#include <simdjson.h>
#include <sqlite3.h>

#include <chrono>
#include <ctime>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace dom = simdjson::dom;
using Clock = std::chrono::steady_clock;

constexpr int kPagesPerTransaction = 10;
constexpr int kSliceDays = 180;   // the widest span that Amazon answers for

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

std::string instant(std::time_t t) {
  char text[32];
  std::tm parts{};
  gmtime_r(&t, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

class Amazon {
 public:
  Amazon(std::string url, const std::string& refresh_token) : url_(std::move(url)), curl_(curl_easy_init()) {
    curl_easy_setopt(curl_, CURLOPT_USERAGENT, "Bench/1 (Language=C++)");
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, +[](char* data, size_t one, size_t count, void* body) {
      static_cast<std::string*>(body)->append(data, one * count);
      return one * count;
    });
    const std::string form = "grant_type=refresh_token&client_id=bench-app&client_secret=bench&refresh_token=" + escaped(refresh_token);
    curl_easy_setopt(curl_, CURLOPT_COPYPOSTFIELDS, form.c_str());
    dom::parser parser;
    const std::string answer = ask("/auth/o2/token");
    const std::string header = "x-amz-access-token: " + std::string(parser.parse(answer)["access_token"].get_string().value());
    headers_ = curl_slist_append(nullptr, header.c_str());
    curl_easy_setopt(curl_, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers_);
  }
  ~Amazon() {
    curl_easy_cleanup(curl_);
    curl_slist_free_all(headers_);
  }
  Amazon(const Amazon&) = delete;
  Amazon& operator=(const Amazon&) = delete;

  std::string ask(const std::string& path) {
    std::string body;
    const std::string url = url_ + path;
    curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &body);
    require(curl_easy_perform(curl_) == CURLE_OK, "the simulator can't be reached");
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    require(status == 200, "the simulator answers " + std::to_string(status) + ": " + body);
    return body;
  }
  std::string escaped(const std::string& text) {
    char* const made = curl_easy_escape(curl_, text.data(), static_cast<int>(text.size()));
    std::string out = made;
    curl_free(made);
    return out;
  }

 private:
  std::string url_;
  CURL* curl_;
  curl_slist* headers_ = nullptr;
};

struct Api {
  bool v0;
  std::string path(Amazon& amazon, const std::string& after, const std::string& before, const std::string& token) const {
    if (v0) {
      std::string path = "/finances/v0/financialEvents?MaxResultsPerPage=100&PostedAfter=" + after + "&PostedBefore=" + before;
      return token.empty() ? path : path + "&NextToken=" + amazon.escaped(token);
    }
    std::string path = "/finances/2024-06-19/transactions?postedAfter=" + after + "&postedBefore=" + before;
    return token.empty() ? path : path + "&nextToken=" + amazon.escaped(token);
  }
  std::string_view token_name() const { return v0 ? "\"NextToken\":\"" : "\"nextToken\":\""; }
};

/// Every page, as it came, to `take`.
template <class Take>
void each_page(Amazon& amazon, const Api& api, int days, Take take) {
  const std::time_t now = std::time(nullptr) - 300;
  for (int from = days; from > 0; from -= kSliceDays) {
    const std::string after = instant(now - std::time_t{from} * 86400), before = instant(now - std::time_t{std::max(0, from - kSliceDays)} * 86400);
    std::string token;
    do {
      std::string page = amazon.ask(api.path(amazon, after, before, token));
      const std::size_t at = page.find(api.token_name());
      token = at == std::string::npos ? std::string() : page.substr(at + api.token_name().size(), page.find('"', at + api.token_name().size()) - at - api.token_name().size());
      take(std::move(page));
    } while (!token.empty());
  }
}

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) { require(sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) == SQLITE_OK, sqlite3_errmsg(db)); }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  void text(int n, std::string_view value) { sqlite3_bind_text(statement_, n, value.data() ? value.data() : "", static_cast<int>(value.size()), SQLITE_STATIC); }
  void integer(int n, std::int64_t value) { sqlite3_bind_int64(statement_, n, value); }
  void real(int n, double value) { sqlite3_bind_double(statement_, n, value); }
  void run() {
    require(sqlite3_step(statement_) == SQLITE_DONE, "a row can't be stored");
    sqlite3_reset(statement_);
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  Database(const char* path, bool tuned) {
    require(sqlite3_open(path, &db_) == SQLITE_OK, "the database can't be opened");
    if (tuned) run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY");
    run("CREATE TABLE events(event_key TEXT PRIMARY KEY, user_id TEXT NOT NULL, event_list TEXT NOT NULL, posted_at TEXT, order_id TEXT, marketplace TEXT);"
        "CREATE TABLE lines(event_key TEXT NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, line_type TEXT NOT NULL, sku TEXT, currency TEXT, amount REAL, PRIMARY KEY(event_key, number))");
  }
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  void run(const char* sql) { require(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(db_)); }
  sqlite3* handle() { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

std::string_view text_of(dom::object object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::string_view first_of(dom::object object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const std::string_view text = text_of(object, name); !text.empty()) return text;
  return {};
}

class Writer {
 public:
  explicit Writer(Database& db)
      : events_(db.handle(), "INSERT INTO events(event_key, user_id, event_list, posted_at, order_id, marketplace) VALUES(?1, 'bench', ?2, ?3, ?4, ?5) ON CONFLICT(event_key) DO UPDATE SET "
                             "posted_at=excluded.posted_at, order_id=excluded.order_id, marketplace=excluded.marketplace"),
        lines_(db.handle(), "INSERT INTO lines(event_key, number, path, line_type, sku, currency, amount) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(event_key, number) DO UPDATE SET "
                            "path=excluded.path, line_type=excluded.line_type, sku=excluded.sku, currency=excluded.currency, amount=excluded.amount") {}

  std::int64_t rows = 0, lines = 0;

  /// Events of v0 have no id. One that is read twice is to be stored once, so what it says is its key; twins, of which there are some, are lost by that.
  void event(std::string_view list, dom::object event) {
    ++rows;
    const std::string_view id = text_of(event, "transactionId");
    key_ = !id.empty() ? std::string(id) : std::string(list) + "/" + std::to_string(std::hash<std::string>()(simdjson::minify(event)));
    number_ = 0;
    events_.text(1, key_);
    events_.text(2, list);
    events_.text(3, first_of(event, {"PostedDate", "postedDate", "TransactionPostedDate", "TransactionCreationDate"}));
    events_.text(4, first_of(event, {"AmazonOrderId", "OrderId", "SellerOrderId"}));
    events_.text(5, first_of(event, {"MarketplaceName", "MarketplaceId"}));
    events_.run();
    path_.clear();
    walk(event, {});
  }

 private:
  void walk(dom::object object, std::string_view sku) {
    if (const std::string_view own = first_of(object, {"SellerSKU", "SKU", "sku"}); !own.empty()) sku = own;
    for (const dom::key_value_pair member : object) {
      const std::size_t length = path_.size();
      if (!path_.empty()) path_ += '.';
      path_ += member.key;
      walk(member.value, member.key, object, sku);
      path_.resize(length);
    }
  }
  void walk(dom::element value, std::string_view name, dom::object holder, std::string_view sku) {
    if (value.is_array()) {
      const dom::array all = value.get_array().value();
      for (const dom::element one : all) walk(one, name, holder, sku);
      return;
    }
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return;
    dom::element amount;
    if (object["CurrencyAmount"].get(amount) != simdjson::SUCCESS && object["currencyAmount"].get(amount) != simdjson::SUCCESS) return walk(object, sku);
    ++lines;
    lines_.text(1, key_);
    lines_.integer(2, number_++);
    lines_.text(3, path_);
    lines_.text(4, first_of(holder, {"ChargeType", "FeeType", "PromotionType", "AdjustmentType", "breakdownType", "transactionType"}));
    lines_.text(5, sku);
    lines_.text(6, first_of(object, {"CurrencyCode", "currencyCode"}));
    double number = 0;
    if (amount.get(number) != simdjson::SUCCESS) number = static_cast<double>(amount.get_int64().value());
    lines_.real(7, number);
    lines_.run();
  }

  Statement events_, lines_;
  std::string key_, path_;
  std::int64_t number_ = 0;
};

void store_page(Writer& writer, const Api& api, dom::element page) {
  if (!api.v0) {
    const dom::array transactions = page["payload"]["transactions"].get_array().value();
    for (const dom::element one : transactions) writer.event("transactions", one.get_object().value());
    return;
  }
  const dom::object lists = page["payload"]["FinancialEvents"].get_object().value();
  for (const dom::key_value_pair list : lists) {
    const dom::array events = list.value.get_array().value();
    for (const dom::element one : events) writer.event(list.key, one.get_object().value());
  }
}

int measure(int argc, char** argv) {
  require(argc >= 6, "usage: plain WAY API URL TOKEN DAYS [DATABASE]");
  const std::string way = argv[1];
  const Api api{std::string_view(argv[2]) == "v0"};
  Amazon amazon(argv[3], argv[4]);
  const int days = std::stoi(argv[5]);
  std::int64_t pages = 0, bytes = 0, rows = 0, lines = 0;
  const auto count = [&](const std::string& page) {
    ++pages;
    bytes += static_cast<std::int64_t>(page.size());
  };

  auto start = Clock::now();
  if (way == "fetch") {
    each_page(amazon, api, days, [&](const std::string& page) { count(page); });
  } else if (way == "parse") {
    std::vector<simdjson::padded_string> all;
    each_page(amazon, api, days, [&](const std::string& page) {
      count(page);
      all.emplace_back(page);
    });
    start = Clock::now();
    dom::parser parser;
    for (const auto& page : all) require(parser.parse(page).error() == simdjson::SUCCESS, "a page is no JSON");
  } else {
    require(argc == 7 && (way == "default" || way == "tuned"), "WAY is fetch, parse, default or tuned; the latter two take a DATABASE");
    Database database(argv[6], way == "tuned");
    Writer writer(database);
    dom::parser parser;
    each_page(amazon, api, days, [&](const std::string& page) {
      if (pages % kPagesPerTransaction == 0) database.run("BEGIN");
      count(page);
      store_page(writer, api, parser.parse(page).value());
      if (pages % kPagesPerTransaction == 0) database.run("COMMIT");
    });
    if (pages % kPagesPerTransaction != 0) database.run("COMMIT");
    rows = writer.rows;
    lines = writer.lines;
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::cout << "{\"seconds\":" << seconds << ",\"pages\":" << pages << ",\"bytes\":" << bytes << ",\"rows\":" << rows << ",\"lines\":" << lines << "}\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return measure(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "plain: " << e.what() << "\n";
    return 1;
  }
}
