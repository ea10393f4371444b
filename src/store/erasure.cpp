// SPDX-License-Identifier: Apache-2.0
#include "store/erasure.hpp"

#include "store/connections.hpp"
#include "store/parts.hpp"

namespace amzsync::store {
namespace {

constexpr std::int64_t kAtOnce = 2'000;

struct OwnTable {
  std::string_view name;
  std::string_view key{};                 ///< what tells rows apart, in an index that it leads or follows the user in; empty: few rows, all deleted at once
  const Parts* parts = nullptr;
  bool read = false;                      ///< holds what Amazon told of the user's seller
};

/// Every table that has rows of users, and which of them hold what was read, but for the user's own; tests/contract/store/erasure_test.cpp holds the list against the schema.
constexpr OwnTable kTables[]{
    {"runs", "run_no", &kRunStreams},   // first: whoever still performs one of them writes nothing any more
    {"transactions", "event_id", &kTransactionLines, true},
    {"financial_events", "event_id", &kFinancialEventLines, true},
    {"archive", "archive_no", &kArchivePieces, true},
    {"reimbursements", "row_id", nullptr, true},
    {"ledger", "row_id", nullptr, true},
    {"ledger_summary", "row_id", nullptr, true},
    {"returns", "row_id", nullptr, true},
    {"fee_preview", "row_id", nullptr, true},
    {"storage_fees", "row_id", nullptr, true},
    {"removals", "row_id", nullptr, true},
    {"settlements", "row_id", nullptr, true},
    {"managed_inventory", "row_id", nullptr, true},
    {"inbound_shipments", "row_id", nullptr, true},
    {"inbound_items", "row_id", nullptr, true},
    {"inventory", "inventory_id", nullptr, true},
    {"quarantine", "quarantine_id", nullptr, true},
    {"report_jobs", "job_no"},
    {"supplied", "supplied_no"},
    {"findings", "finding_id"},
    {"changes", "change_seq"},
    {"journal", "seq"},
    {"skus", "sku_id"},
    {"credits"},
    {"inventory_history"},
    {"fee_preview_history"},
    {"inventory_absent"},
    {"inbound_statuses"},
    {"run_progress"},
    {"cells"},
    {"windows"},
    {"stream_states"},
    {"report_pauses"},
    {"change_readers"},
    {"rule_states"},
    {"detections"},
    {"participations"},
    {"consents"},
    {"kept_tokens"},
    {"pauses"},
};

std::int64_t erase_parts(Tx& tx, UserNo user, const Parts& parts, std::int64_t owner, std::int64_t limit) {
  const std::string table(parts.table), key(parts.key), of_user = parts.tells_user ? " /*! AND user_no=?4 */" : "";
  // A document can have more pieces than are deleted at once.
  return tx.run("DELETE FROM " + table + " WHERE " + key + " IN (SELECT " + key + " FROM " + table + " WHERE " + key + ">=?1 AND " + key + "<?2" + of_user + " LIMIT ?3)" + of_user, owner * parts.each,
                (owner + 1) * parts.each, limit, user);
}

/// How much of the limit was used.
std::int64_t erase_from(Tx& tx, UserNo user, const OwnTable& of, std::int64_t limit, ErasedRows& erased) {
  const std::string table(of.name), key(of.key);
  const auto count = [&](std::string_view name, std::int64_t rows) {
    if (rows > 0) erased[std::string(name)] += rows;
    return rows;
  };
  if (key.empty()) return count(of.name, tx.run("DELETE FROM " + table + " WHERE user_no=?1", user));
  std::vector<std::string> texts;
  std::vector<std::int64_t> numbers;
  {
    Rows r = tx.rows("SELECT " + key + " FROM " + table + " WHERE user_no=?1 LIMIT ?2", user, limit);
    while (r.next()) {
      if (r.is_text(0)) {
        texts.push_back(r.text(0));
      } else {
        numbers.push_back(r.integer(0));
      }
    }
  }
  const std::string sql = "DELETE FROM " + table + " WHERE user_no=?1 AND " + key + "=?2";
  std::int64_t used = 0;
  for (const std::string& text : texts) used += count(of.name, tx.run(sql, user, text));
  for (const std::int64_t number : numbers) {
    if (used >= limit) break;
    if (of.parts) {
      used += count(of.parts->table, erase_parts(tx, user, *of.parts, number, limit - used));
      if (used >= limit) break;   // the owner stays until it has no parts
    }
    used += count(of.name, tx.run(sql, user, number));
  }
  return used;
}

/// Last, for it tells whose plans of usage they are.
void erase_connection(Tx& tx, UserNo user, ErasedRows& erased) {
  if (const auto c = find_connection(tx, user)) {
    const std::string account = c->seller.empty() ? "connection-" + std::to_string(c->number.value) : c->seller.text();
    const bool shared = tx.integer("SELECT 1 FROM connections WHERE seller_id=?1 AND user_no<>?2", c->seller, user).has_value() && !c->seller.empty();
    if (const auto rows = shared ? 0 : tx.run("DELETE FROM buckets WHERE account=?1", account); rows > 0) erased["buckets"] += rows;
    erased["connections"] += tx.run("DELETE FROM connections WHERE user_no=?1", user);
  }
}

}  // namespace

bool holds_what_was_read(Tx& tx, UserNo user) {
  const auto any = [&](const std::string& rows) { return tx.integer("SELECT 1 FROM " + rows + " LIMIT 1", user).has_value(); };
  for (const OwnTable& table : kTables)
    if (table.read && any(std::string(table.name) + " WHERE user_no=?1")) return true;
  return any("cells WHERE user_no=?1 AND digest IS NOT NULL") || any("runs WHERE user_no=?1 AND status IN ('in_progress', 'detecting')");
}

std::optional<UserNo> begin_erasure(Tx& tx, const UserId& user, std::string_view mask) {
  const auto number = tx.integer("SELECT user_no FROM users WHERE user_id=?1 AND erased_at IS NULL", user);
  if (!number) return std::nullopt;
  disconnect(tx, UserNo{*number});
  forget_notifications(tx, user);
  tx.run("UPDATE users SET user_id=?2, erased_at=?3 WHERE user_no=?1", *number, mask, tx.now());
  return UserNo{*number};
}

bool erase_some(Tx& tx, UserNo user, ErasedRows& erased) {
  std::int64_t left = kAtOnce;
  for (const OwnTable& table : kTables) {
    left -= erase_from(tx, user, table, left, erased);
    if (left <= 0) return true;
  }
  erase_connection(tx, user, erased);
  return false;
}

void end_erasure(Tx& tx, UserNo user, ErasedRows& erased) {
  if (const auto rows = tx.run("DELETE FROM users WHERE user_no=?1 AND erased_at IS NOT NULL", user); rows > 0) erased["users"] += rows;
}

std::vector<UserNo> erasures_under_way(Tx& tx) {
  std::vector<UserNo> users;
  Rows r = tx.rows("SELECT user_no FROM users WHERE erased_at IS NOT NULL ORDER BY user_no");
  while (r.next()) users.push_back(r.id<UserNo>(0));
  return users;
}

}  // namespace amzsync::store
