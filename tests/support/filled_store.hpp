// SPDX-License-Identifier: Apache-2.0
// A store with a row in every table, whatever tables there are: for what must reach all of them.
#pragma once

#include <algorithm>
#include <map>

#include "support/test_store.hpp"

namespace support {

inline std::vector<store::Column> columns_of(TestStore& t) {
  return *t.read([](store::Tx& tx) -> Result<std::vector<store::Column>> { return tx.columns(); });
}

/// One row in every table that has rows of users, whatever its columns are; but for parts, which are of a row and of nobody without it.
inline void fill(TestStore& t, UserNo user) {
  std::map<std::string, std::vector<store::Column>> tables;
  for (store::Column& c : columns_of(t)) tables[c.table].push_back(std::move(c));
  std::erase_if(tables, [](const auto& table) {
    return table.first == "users" || table.first == "connections" || table.first.ends_with("_lines") || table.first == "archive_pieces" || std::none_of(table.second.begin(), table.second.end(), [](const store::Column& c) { return c.name == "user_no"; });
  });
  CHECK(tables.size() > 30);
  const auto wrote = t.write([&](store::Tx& tx) -> Result<int> {
    for (const auto& [table, columns] : tables) {
      std::string names, values;
      for (const store::Column& c : columns) {
        if (!c.needed && c.name != "user_no") continue;
        names += (names.empty() ? "" : ", ") + c.name;
        values += values.empty() ? "" : ", ";
        values += c.name == "user_no" ? "?1" : c.name == "status" ? "'completed'" : c.name == "state" && table == "report_jobs" ? "'over'" : c.type == store::SqlType::text ? "?2" : c.type == store::SqlType::blob ? "?3" : "?4";
      }
      CAPTURE(table);
      const std::string own = "of " + std::to_string(user.value);
      CHECK(tx.run("INSERT INTO " + table + "(" + names + ") SELECT " + values + " WHERE ?1<>0 AND ?2<>'' AND ?3<>?5 AND ?4<>0", user, "text " + own, store::Blob{"blob " + own}, 7 + user.value, store::Blob{""}) == 1);
    }
    return 0;
  });
  REQUIRE(wrote);
}

inline std::map<std::string, std::int64_t> rows_of(TestStore& t, UserNo user) {
  const auto columns = columns_of(t);
  return *t.read([&](store::Tx& tx) -> Result<std::map<std::string, std::int64_t>> {
    std::map<std::string, std::int64_t> counts;
    for (const store::Column& c : columns)
      if (c.name == "user_no")
        if (const auto n = tx.integer("SELECT count(*) FROM " + c.table + " WHERE user_no=?1", user).value_or(-1); n != 0) counts[c.table] = n;
    return counts;
  });
}

}  // namespace support
