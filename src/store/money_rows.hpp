// SPDX-License-Identifier: Apache-2.0
// Rows of the money streams: events (or transactions) with every amount they hold, and the days they belong to.
//
// A decoder fills a MoneyBatch; amounts are lines that hold numbers only, their words are in dictionaries (design 7, where
// the measurements are). A walk stores page by page what is not there yet, and closes its days at the end.
#pragma once

#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/crypto.hpp"
#include "base/money.hpp"
#include "store/runs.hpp"

namespace amzsync::store {

/// The two sources of money. Each has an entity table, a line table and a name.
enum class MoneyStream : std::uint8_t { transactions, financial_events };
std::string_view money_stream_name(MoneyStream stream) noexcept;

/// line_id = event_id * kLinesPerRow + number; an event with more lines goes on in another row.
constexpr std::int64_t kLinesPerRow = 4'096;

constexpr std::uint32_t kNone = 0xFFFFFFFF;

/// What kind of amount a line is; `shape_id` in the views.
struct Shape {
  std::string list;   ///< event list or transaction type
  std::string path;   ///< place in Amazon's model
  std::string type;   ///< FeeType, ChargeType, breakdownType, … or empty
  bool total = false; ///< sums (or restates) others, so it must not be added to them
  bool fee = false;
  friend bool operator==(const Shape&, const Shape&) = default;
};

struct Line {
  std::uint32_t shape = kNone;        ///< into MoneyBatch::shapes
  std::uint32_t sku = kNone;          ///< into MoneyBatch::skus
  std::optional<Currency> currency;
  std::optional<Micros> amount;       ///< nullopt: could not be held exactly, see MoneyBatch::faults
};

/// Money credited or taken back for FBA reimbursements; see spapi/reimbursements.hpp.
struct Credit {
  Currency currency;
  Micros amount;
};

/// Something in an event that could not be read; kept with its bytes.
struct Fault {
  std::string reason;
  std::string path;
  std::string raw;
};

struct MoneyEvent {
  Day day;                            ///< its cell
  Hash128 identity;                   ///< of Amazon's id, else of the content
  std::uint32_t occurrence = 0;       ///< among equals in the cell, in the order of the walk
  Hash128 content;
  bool named_by_amazon = false;       ///< it carries ids of Amazon's, so an equal one across a page seam is the same one
  bool unique_id = false;             ///< the identity is Amazon's id of this very event
  bool dated = true;                  ///< false: it belongs to the request window
  std::uint32_t type = kNone;         ///< into MoneyBatch::types
  std::optional<Instant> posted_at;
  std::string order_id, native_id, status, marketplace, description;  ///< empty: Amazon told none
  std::optional<Micros> total;
  std::optional<Currency> currency;
  std::string detail;                 ///< JSON of all that is neither column nor line
  std::vector<Line> lines;
  std::vector<Credit> credits;
  std::vector<Fault> faults;
};

struct MoneyBatch {
  std::vector<MoneyEvent> events;
  std::vector<Shape> shapes;
  std::vector<std::string> skus;
  std::vector<std::string> types;
  std::vector<Fault> unreadable;      ///< elements that could not become an event at all
};

/// Whether rows of the batch's days may be in the store already; `none` saves a look-up per event.
enum class Existing : std::uint8_t { possible, none };

/// Numbers of words that the pages of one run have named before, so that they are not looked up page by page. A number that a transaction made is known once
/// that is committed. Used by one transaction at a time.
class KnownNumbers {
 public:
  /// A transaction begins: what one that came to nothing made is forgotten.
  void begin() { made_.clear(); }
  std::optional<std::int64_t> find(const std::string& word) const {
    const auto known = numbers_.find(word);
    return known == numbers_.end() ? std::nullopt : std::optional(known->second);
  }
  void made(std::string word, std::int64_t number) { made_.emplace_back(std::move(word), number); }
  void committed();

 private:
  std::unordered_map<std::string, std::int64_t> numbers_;
  std::vector<std::pair<std::string, std::int64_t>> made_;
};

/// Inserts the identities that are not there yet, and what changed of those that are. Rows are visible at once.
Counts store_page(const RunTx& run, MoneyStream stream, const MoneyBatch& batch, Existing existing, KnownNumbers* known = nullptr);

/// A page of an earlier run, decoded anew: rows are written where they differ from what is stored, as if that run had written them. What a
/// later run wrote stays.
Counts rewrite_page(const RunTx& run, MoneyStream stream, const MoneyBatch& batch, RunNo told_by);

/// Gives events without a date that are stored already the day which they were stored with; whether there were any. For a stream whose
/// windows move: the same event turns up in windows that begin on different days.
bool settle_undated(Tx& tx, UserNo user, MoneyStream stream, MoneyBatch& batch);

/// How far a day is known. `assumed`: taken as empty because Amazon said that there is nothing, by a word that it says of other things too; rows of money
/// that were known of it before stay.
enum class CellState : std::uint8_t { open, provisional, settled, failed, unauthorised, assumed };
std::string_view cell_state_name(CellState state) noexcept;

/// What told of a day, as cells keep it (by_word).
enum class ToldBy : std::uint8_t {
  rows,         ///< an answer or a document, all of which could be read
  want,         ///< of a report that none was made (CANCELLED), while a document that told of the day before stays its teller; of money an answer without a list
  some_rows,    ///< an answer or a document of which a part can't be read, and nobody knows of which day that is
  known_rows    ///< such a one, after one that was whole
};

struct Cell {
  Day day;
  CellState state = CellState::open;
  std::int64_t row_count = 0;
  std::optional<Hash128> digest;
  std::optional<Instant> read_until, first_read_at, read_at;
};
/// Cells of [first, end), in order; days that were never read have none.
std::vector<Cell> cells(Tx& tx, UserNo user, std::string_view stream, Day first, Day end);

/// What a complete walk saw in one day.
struct SeenDay {
  Day day;
  std::unordered_map<Hash128, std::uint32_t, Hash128Hasher> occurrences;  ///< identity → how often
  std::int64_t count = 0;
  Hash128 digest;                     ///< order-free sum over all that was seen
};
struct ClosedDay {
  Instant read_until{};               ///< up to which instant the day was asked for
  bool may_settle = false;            ///< settled if it is found as it was
  bool without_list = false;          ///< for a part of it, or all, Amazon's answer was no list with nothing in it, but none (F4)
  bool unreadable = false;            ///< something of the walk could not be read, and may be of that day
};
/// Until Amazon's silence on a day is believed, when it is met again.
constexpr Duration kSureOfNothing = std::chrono::hours(20);
/// Ends a complete walk for one day: rows that it did not show are removed, the digest and the coverage are written. By an answer without a list
/// none are removed, and where there are none it is believed only when it comes again, kSureOfNothing after: until then the day is `assumed`. It never settles a day. By one of which
/// a part can't be read none are removed either; the day is `assumed` until that comes again so.
Counts close_day(const RunTx& run, MoneyStream stream, const SeenDay& seen, const ClosedDay& how);
/// The part of close_day that can hold the store for long: removes rows that the walk did not show, `most` of them. Where `removed` is less, none are left.
Counts remove_unseen(const RunTx& run, MoneyStream stream, const SeenDay& seen, const ClosedDay& how, std::int64_t most);
/// Ends the rewriting of one day: rows of that run, or older ones, that it did not show go. When the day was read, and how settled it is, stays.
Counts recount_day(const RunTx& run, MoneyStream stream, const SeenDay& seen, RunNo told_by);
/// For a day whose walk did not get through; what was known before stays known.
void mark_day(const RunTx& run, std::string_view stream, Day day, CellState state);

/// The grid of request windows (see schema `windows`).
struct Window {
  Day first;
  int days = 1;
  Day end() const { return first + std::chrono::days(days); }
};
std::vector<Window> windows(Tx& tx, UserNo user, std::string_view stream);
void store_window(Tx& tx, UserNo user, std::string_view stream, Window window);
/// Replaces one window by its parts; rows without a date move when the parts are walked.
void split_window(Tx& tx, UserNo user, std::string_view stream, Day first, std::span<const Window> parts);

// ---- a stream as a whole ----

struct StreamState {
  std::string coverage;
  std::optional<Instant> last_success_at;
  std::optional<Instant> probe_at;
};
std::optional<StreamState> stream_state(Tx& tx, UserNo user, std::string_view stream);
void set_stream_state(Tx& tx, UserNo user, std::string_view stream, std::string_view coverage, bool success, std::optional<Instant> probe_at, const std::optional<Error>& error);

/// The row that a thing in quarantine may become yet.
struct StrayOf {
  Hash128 identity;
  std::uint32_t occurrence = 0;
};
/// Keeps something unreadable; false when it was known.
bool quarantine(const RunTx& run, std::string_view stream, std::optional<Day> day, std::optional<std::int64_t> event_id, const Fault& fault, const Hash128& about, const std::optional<StrayOf>& stray = std::nullopt);

/// Tells unreadable things that are equal apart within one page or document, so that each of them is kept.
class Twins {
 public:
  /// `about` for quarantine(). The first of its kind has the plain one, so that a re-read knows it again.
  Hash128 next(const Fault& fault, const Hash128& about = {});

 private:
  std::unordered_map<Hash128, std::uint32_t, Hash128Hasher> seen_;
};

/// Counts a user's orders a part at a time: there can be millions, and whoever waits for one long query hears nothing else.
class OrderCount {
 public:
  OrderCount(UserNo user, MoneyStream stream) : user_(user), stream_(stream) {}
  /// Reads some more of what is stored now. False: all was read.
  bool step(Tx& tx);
  /// Distinct ones, once all was read.
  std::int64_t count();

 private:
  struct Place {
    Day day{};
    Hash128 identity;
    std::int64_t occurrence = 0;
  };
  UserNo user_;
  MoneyStream stream_;
  std::optional<Place> last_;
  std::deque<std::uint64_t> orders_;   // hashes of their ids
};

/// Fee lines as stored now.
std::int64_t fee_count(Tx& tx, UserNo user, MoneyStream stream);

}  // namespace amzsync::store
