// SPDX-License-Identifier: Apache-2.0
#include "spapi/report_text.hpp"

#include <doctest/doctest.h>

#include "spapi/reports/datasets.hpp"

using namespace amzsync;
using namespace amzsync::spapi;

namespace {

using Table = std::vector<std::vector<std::string>>;

Table read(std::string_view text, std::size_t piece) {
  Table table;
  TableReader reader;
  const TableReader::RowFn row = [&](std::span<const std::string_view> cells, std::string_view) -> Status {
    table.emplace_back(cells.begin(), cells.end());
    return Done{};
  };
  for (std::size_t at = 0; at < text.size(); at += piece) REQUIRE(reader.push(text.substr(at, piece), row));
  REQUIRE(reader.finish(row));
  return table;
}

const std::string kHeader = "approval-date\treimbursement-id\tcase-id\tamazon-order-id\treason\tsku\tcurrency-unit\tamount-total\tquantity-reimbursed-cash";

/// The rows of a reimbursements report of this text.
Result<std::vector<DecodedRow>> decode(const std::string& text) {
  std::vector<DecodedRow> rows;
  RowDecoder decoder(kReimbursements, Charset::utf8);
  bool first = true;
  TableReader reader;
  const TableReader::RowFn row = [&](std::span<const std::string_view> cells, std::string_view line) -> Status {
    if (std::exchange(first, false)) return decoder.header(cells, line);
    rows.push_back(decoder.decode(cells));
    return Done{};
  };
  if (auto read = reader.push(text, row); !read) return read.error();
  if (auto read = reader.finish(row); !read) return read.error();
  return rows;
}
std::int64_t number(const DecodedRow& row, std::string_view column) {
  for (std::size_t i = 0; i < kReimbursements.columns.size(); ++i)
    if (kReimbursements.columns[i].name == column)
      if (const auto* value = std::get_if<std::int64_t>(&row.row.values[i])) return *value;
  return -1;
}

}  // namespace

TEST_SUITE_BEGIN("spapi");

TEST_CASE("a plain file's quotes are text, however they stand") {
  const std::string text = "a\tb\n1\t12\" pan\n\"2\tend\"\r\n3\t\n\n4\tlast";
  const Table expected{{"a", "b"}, {"1", "12\" pan"}, {"\"2", "end\""}, {"3", ""}, {"4", "last"}};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, text.size()}) CHECK(read(text, piece) == expected);
}

TEST_CASE("a quoted file's cells hold tabs, line breaks and doubled quotes") {
  const std::string text = "\xEF\xBB\xBF\"a\"\t\"b\"\n\"1\"\t\"x\ty\nz\"\n\"2\"\t\"12\"\" pan\"\n";
  const Table expected{{"a", "b"}, {"1", "x\ty\nz"}, {"2", "12\" pan"}};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, text.size()}) CHECK(read(text, piece) == expected);
}

TEST_CASE("times are read in every form that the reports have") {
  const struct {
    const char* text;
    const char* instant;
  } forms[]{{"2026-03-14T08:49:04+00:00", "2026-03-14T08:49:04Z"}, {"2026-07-06T00:00:00-0700", "2026-07-06T07:00:00Z"}, {"2026-03-14 08:49:04 UTC", "2026-03-14T08:49:04Z"},
           {"03/14/2026", "2026-03-14T00:00:00Z"},                  {"14.03.2026", "2026-03-14T00:00:00Z"},               {"2026-03", "2026-03-01T00:00:00Z"},
           {"03/2026", "2026-03-01T00:00:00Z"}};
  for (const auto& form : forms) {
    CAPTURE(std::string(form.text));
    CHECK(parse_report_time(form.text) == parse_instant(form.instant));
  }
  for (const char* wrong : {"", "13/41/2026", "yesterday", "2026-02-30", "2026"}) {
    CAPTURE(std::string(wrong));
    CHECK(!parse_report_time(wrong));
  }
}

TEST_CASE("columns are found by name in any spelling, and what a file lacks besides is NULL") {
  const auto rows = decode("Reimbursement ID\tApproval_Date\tAmount Total\tCURRENCY-UNIT\n0012\t2026-03-14T08:49:04+00:00\t-12.30\tUSD\n");
  REQUIRE(rows);
  REQUIRE(rows->size() == 1);
  CHECK(number((*rows)[0], "amount_micros") == -12'300'000);
  CHECK((*rows)[0].row.faults.empty());
}

TEST_CASE("a document that is no such report is refused with its own words") {
  const auto error = decode("Date range exceeded. Report can be requested only upto 30 days\n");
  CHECK(error.code() == Code::bad_answer);
  CHECK(error.error().message.find("Date range exceeded") != std::string::npos);
}

TEST_CASE("a row that can't be read is kept as a fault with its bytes, and the others are read") {
  const auto rows = decode(kHeader + "\n2026-03-14T08:49:04+00:00\t1\t\t\tLost_Warehouse\tA\tUSD\tmany\t1\nno date\t2\t\t\tLost_Warehouse\tA\tUSD\t1.00\t1\n2026-03-14T08:49:04+00:00\t3\t\t\tLost_Warehouse\tA\tUSD\t2.00\t1\n");
  REQUIRE(rows);
  REQUIRE(rows->size() == 3);
  CHECK((*rows)[0].readable);
  REQUIRE((*rows)[0].row.faults.size() == 1);
  CHECK((*rows)[0].row.faults[0].raw.find("many") != std::string::npos);
  CHECK(!(*rows)[1].readable);
  CHECK(number((*rows)[2], "amount_micros") == 2'000'000);
}

TEST_SUITE_END();
