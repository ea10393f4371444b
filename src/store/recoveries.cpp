// SPDX-License-Identifier: Apache-2.0
#include "store/recoveries.hpp"

#include <algorithm>
#include <map>

namespace amzsync::store {
namespace {

/// A stream that shows reimbursements: its days with money, and its credits as (day, currency, micros), each line one.
struct Source {
  std::string_view stream, days, credits;
};
constexpr std::string_view kCreditDays = "SELECT DISTINCT day FROM credits WHERE user_no=?1 AND source=?2";
constexpr std::string_view kCredits = "SELECT d.day, c.code, d.micros, '' FROM credits d JOIN currencies c ON c.currency_id = d.currency_id WHERE d.user_no=?1 AND d.source=?2";

constexpr std::string_view kTransactionCredits =
    "SELECT d.day, c.code, d.micros, coalesce(t.native_id, '') FROM credits d JOIN currencies c ON c.currency_id = d.currency_id JOIN transactions t ON t.event_id = d.event_id WHERE d.user_no=?1 AND d.source=?2";

/// Best source first: a day that a better one covers is taken from there alone. In the report a reversal takes money back, whatever
/// sign its amount has.
constexpr Source kSources[]{
    {"reimbursements", "SELECT DISTINCT day FROM reimbursements WHERE user_no=?1 AND ?2<>''",
     "SELECT day, currency, CASE WHEN lower(replace(replace(reason, '_', ''), ' ', ''))='reimbursementreversal' THEN -abs(amount_micros) ELSE amount_micros END, '' "
     "FROM reimbursements WHERE user_no=?1 AND ?2<>'' AND amount_micros IS NOT NULL AND currency IS NOT NULL"},
    {"transactions", kCreditDays, kTransactionCredits},
    {"financial_events", kCreditDays, kCredits}};

/// Which source each day is taken from. The best one that was read up to the end of the day; of a day that is not over for any of them the one
/// read last; else one that shows money although the day was never read to an end. What a report told of the day after its own, whose dates are local, is
/// money of its own day elsewhere: it has the source of that day.
std::map<std::int64_t, const Source*> choose_sources(Tx& tx, UserNo user) {
  struct Choice {
    const Source* source;
    Instant read_until;
    bool whole = false;
  };
  std::map<std::int64_t, Choice> choices;
  std::vector<std::pair<std::int64_t, const Source*>> ahead;
  for (const Source& source : kSources) {
    Rows r = tx.rows("SELECT day, read_until FROM cells WHERE user_no=?1 AND stream=?2 AND digest IS NOT NULL AND by_word IN (0, 3)", user, source.stream);   // CANCELLED is no word on what was paid, nor is a file of which a part can't be read
    while (r.next()) {
      const Instant until = r.maybe_instant(1).value_or(Instant{});
      if (until <= Instant(day_from(r.integer(0)))) {
        ahead.emplace_back(r.integer(0), &source);
        continue;
      }
      const Choice here{&source, until, until >= Instant(day_from(r.integer(0)) + std::chrono::days(1))};
      const auto [place, fresh] = choices.emplace(r.integer(0), here);
      if (!fresh && !place->second.whole && (here.whole || until > place->second.read_until)) place->second = here;
    }
  }
  std::map<std::int64_t, const Source*> chosen;
  for (const auto& [day, choice] : choices) chosen.emplace(day, choice.source);
  for (const auto& [day, source] : ahead) {
    const auto before = chosen.find(day - 1);
    chosen.emplace(day, before == chosen.end() ? source : before->second);
  }
  for (const Source& source : kSources) {
    Rows r = tx.rows(source.days, user, source.stream);
    while (r.next()) chosen.emplace(r.integer(0), &source);
  }
  return chosen;
}

/// A transaction has one id for good and is one, also where Amazon shows it under another day than before: until the former day is read again both rows are
/// there, and the later one counts. Only those that stand on several days.
std::map<std::string, std::int64_t> days_of_moved(Tx& tx, UserNo user) {
  std::map<std::string, std::int64_t> days;
  Rows r = tx.rows(
      "SELECT t.native_id, max(d.day) FROM credits d JOIN transactions t ON t.event_id = d.event_id WHERE d.user_no=?1 AND d.source='transactions' AND t.native_id<>'' GROUP BY t.native_id "
      "HAVING min(d.day)<max(d.day)",
      user);
  while (r.next()) days.emplace(r.text(0), r.integer(1));
  return days;
}

}  // namespace

bool has_unreadable_money(Tx& tx, UserNo user) {
  for (const Source& source : kSources)
    if (tx.integer("SELECT 1 FROM quarantine WHERE user_no=?1 AND stream=?2 LIMIT 1", user, source.stream)) return true;
  return false;
}

Recoveries recoveries(Tx& tx, UserNo user, bool by_month) {
  struct Sum {
    Micros amount;
    std::int64_t count = 0;
  };
  Recoveries result;
  std::map<std::string, Sum> by_currency;
  std::map<std::pair<std::string, std::string>, Sum> by_month_currency;
  const auto chosen = choose_sources(tx, user);
  const auto moved = days_of_moved(tx, user);

  for (const Source& source : kSources) {
    const std::string_view stream = source.stream;
    bool contributed = false;
    {
      Rows r = tx.rows(source.credits, user, stream);
      while (r.next()) {
        if (const auto day = chosen.find(r.integer(0)); day == chosen.end() || day->second != &source) continue;
        if (r.integer(2) == 0) continue;   // no money; units were given instead, or nothing
        if (const auto day = moved.find(r.text(3)); day != moved.end() && day->second != r.integer(0)) continue;
        contributed = true;
        const auto put = [&](Sum& sum) {
          const auto added = add(sum.amount, Micros{r.integer(2)});
          result.overflow |= !added;
          if (added) sum.amount = *added;
          sum.count += r.integer(2) > 0 ? 1 : 0;
        };
        put(by_currency[r.text(1)]);
        if (by_month) put(by_month_currency[{format_day(day_from(r.integer(0))).substr(0, 7), r.text(1)}]);
      }
    }
    if (contributed) result.sources.emplace_back(stream);
    if (const auto until = tx.integer("SELECT max(read_until) FROM cells WHERE user_no=?1 AND stream=?2", user, stream))
      result.as_of = std::max(result.as_of.value_or(Instant{}), from_us(*until));
  }
  for (const auto& [currency, sum] : by_currency) result.totals.push_back({currency, sum.amount, sum.count});
  for (const auto& [key, sum] : by_month_currency) result.months.push_back({key.first, {key.second, sum.amount, sum.count}});
  return result;
}

}  // namespace amzsync::store
