// SPDX-License-Identifier: Apache-2.0
// Reports' documents that are not what they should be: nothing crashes, and either the whole is refused with an error, or every row that came is there or
// kept as unreadable, no value of it is lost, and an amount that can't be held exactly is NULL and told.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/gzip.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "sim/reports.hpp"
#include "spapi/reports/datasets.hpp"
#include "support/damage.hpp"
#include "support/documents.hpp"

using namespace amzsync::spapi;
namespace store = amzsync::store;
using support::Document, support::read_document;

namespace {

const std::string kReimbursementHeader = "approval-date\treimbursement-id\tcase-id\tamazon-order-id\treason\tsku\tfnsku\tasin\tproduct-name\tcurrency-unit\tamount-total\tquantity-reimbursed-cash";
std::string reimbursement(int n, const std::string& title = "A thing") {
  return "2026-03-14T08:49:04+00:00\t" + std::to_string(1'000 + n) + "\t\t\tLost_Warehouse\tSKU-" + std::to_string(n) + "\tX\tB\t" + title + "\tUSD\t" + std::to_string(n) + ".50\t" + std::to_string(n);
}

std::string quoted(std::initializer_list<std::string_view> cells) {
  std::string line;
  for (const std::string_view cell : cells) line += (line.empty() ? "\"" : "\t\"") + std::string(cell) + '"';
  return line;
}
const std::string kLedgerHeader = quoted({"Date", "FNSKU", "ASIN", "MSKU", "Title", "Event Type", "Reference ID", "Quantity", "Fulfillment Center", "Disposition", "Reason", "Country"});
/// The title stands in the file as it is given.
std::string movement(int n, std::string_view title = "A thing") {
  return quoted({"03/14/2026", "X" + std::to_string(n), "B", "SKU", title, "Adjustments", "", std::to_string(n), "PHX7", "SELLABLE", "M", "US"});
}

const store::ReportValue& value(const ReportDataset& dataset, const DecodedRow& row, std::string_view column) {
  for (std::size_t i = 0; i < dataset.columns.size(); ++i)
    if (dataset.columns[i].name == column) return row.row.values.at(i);
  FAIL("no such column");
  return row.row.values.front();
}
std::string text_of(const ReportDataset& dataset, const DecodedRow& row, std::string_view column) {
  const store::ReportValue& v = value(dataset, row, column);
  if (const auto* text = std::get_if<std::string>(&v)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&v)) return std::to_string(*number);
  return "NULL";
}

std::string lines(std::initializer_list<std::string> all, std::string_view end = "\n") {
  std::string text;
  for (const std::string& line : all) text += line + std::string(end);
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("spapi");

TEST_CASE("whatever a plain file holds, each of its lines is a row, or all of it is refused") {
  const std::string h = kReimbursementHeader;
  const struct {
    const char* name;
    std::string text;
    int stored, unreadable;   ///< -1: refused
  } files[]{
      {"lines", lines({h, reimbursement(1), reimbursement(2)}), 2, 0},
      {"lines of Windows", lines({h, reimbursement(1), reimbursement(2)}, "\r\n"), 2, 0},
      {"no line end at the end", h + "\n" + reimbursement(1) + "\n" + reimbursement(2), 2, 0},
      {"empty lines", "\n" + lines({h, "", reimbursement(1), "\r", "", reimbursement(2), "", ""}), 2, 0},
      {"a byte order mark", "\xEF\xBB\xBF" + lines({h, reimbursement(1)}), 1, 0},
      {"nothing", "", 0, 0},
      {"empty lines alone", "\n\r\n\n", 0, 0},
      {"a header alone", lines({h}), 0, 0},
      {"a header alone, without line end", h, 0, 0},
      {"quotes that do not match", lines({h, reimbursement(1, "12\" pan"), reimbursement(2, "\"all of it"), reimbursement(3, "a\"b\"c\""), reimbursement(4, "\""), reimbursement(5)}), 5, 0},
      {"a row with fewer cells", lines({h, reimbursement(1), "2026-03-14T08:49:04+00:00\t77", reimbursement(2)}), 3, 0},
      {"a row with one cell", lines({h, "2026-03-14T08:49:04+00:00", reimbursement(2)}), 2, 0},
      {"a row with more cells", lines({h, reimbursement(1) + "\tmore\t\tand more", reimbursement(2)}), 2, 0},
      {"a row without its date", lines({h, reimbursement(1), "\t77\t\t\tLost_Warehouse", reimbursement(2)}), 2, 1},
      {"dates that are none", lines({h, "yesterday" + reimbursement(1).substr(25), "2026-02-30" + reimbursement(2).substr(25), "03/14/26" + reimbursement(3).substr(25), reimbursement(4)}), 1, 3},
      {"tabs alone", lines({h, "\t\t\t", reimbursement(1)}), 1, 1},
      {"words between the rows", lines({h, reimbursement(1), "Internal error, please try again", reimbursement(2)}), 2, 1},
      {"NUL bytes", lines({h, reimbursement(1, std::string("a\0b", 3)), std::string(40, '\0'), reimbursement(2)}), 2, 1},
      {"two headers", lines({h, h, reimbursement(1)}), 1, 1},
      {"twins", lines({h, reimbursement(1), reimbursement(1)}), 2, 0},
      {"a header in other words", lines({"APPROVAL_DATE\tReimbursement ID\tSKU\tCurrency Unit\t Amount-Total ", "2026-03-14T08:49:04+00:00\t1\tA\tUSD\t1.00"}), 1, 0},
      {"a column twice", lines({h + "\tsku\tnew\tnew", reimbursement(1) + "\tother\t1\t2"}), 1, 0},
      {"a column is missing", lines({"approval-date\tsku\tamount-total", "2026-03-14\tA\t1"}), -1, 0},
      {"an error in place of the header", "Date range exceeded. Report can be requested only upto 30 days", -1, 0},
      {"an error and a line end", "Report generation failed\r\n", -1, 0},
      {"HTML", "<html><body><h1>503</h1></body></html>", -1, 0},
      {"XML", "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>\n", -1, 0},
      {"JSON", "{\"errors\":[{\"code\":\"InternalFailure\"}]}", -1, 0},
      {"commas for tabs", "approval-date,reimbursement-id,sku,currency-unit,amount-total\n2026-03-14,1,A,USD,1.00\n", -1, 0},
      {"NUL bytes alone", std::string(500, '\0'), -1, 0},
      {"random bytes", "\x89PNG\r\n\x1a\n\x01\x02\xff\xfe\t\t\n", -1, 0},
      {"a line without end", lines({h}) + std::string(5U << 20, 'x'), -1, 0},
  };
  for (const auto& f : files)
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{16} << 10}) {
      CAPTURE(std::string(f.name));
      CAPTURE(piece);
      if (piece < 16 && f.text.size() > 100'000) continue;
      const auto read = read_document(kReimbursements, f.text, piece);
      if (f.stored < 0) {
        CHECK(read.code() == Code::bad_answer);
        continue;
      }
      REQUIRE(read);
      CHECK(static_cast<int>(read->stored) == f.stored);
      CHECK(static_cast<int>(read->unreadable) == f.unreadable);
      for (const DecodedRow& row : read->rows)
        if (!row.readable) CHECK(!row.row.faults.at(0).raw.empty());
    }
}

TEST_CASE("a quote that nothing closes swallows no row of a quoted file") {
  const auto rows = [](std::initializer_list<std::string> all) { return lines(all, "\r\n"); };
  const std::string h = kLedgerHeader;
  const struct {
    const char* name;
    std::string text;
    std::vector<std::string> quantities;
    std::vector<std::string> titles;
  } files[]{
      {"as it should be", rows({h, movement(1, "12\"\" pan"), movement(2, "two\nlines"), movement(3, "a\ttab"), movement(4)}), {"1", "2", "3", "4"}, {"12\" pan", "two\nlines", "a\ttab", "A thing"}},
      {"open in the middle", rows({h, movement(1, "12\" pan"), movement(2), movement(3)}), {"1", "2", "3"}, {"12\" pan", "A thing", "A thing"}},
      {"open at the end of a cell", rows({h, movement(1, "Screen 12\""), movement(2), movement(3)}), {"1", "2", "3"}, {"Screen 12\"", "A thing", "A thing"}},
      {"open at the start of a cell", rows({h, movement(1, "\"best\" thing"), movement(2), movement(3, "\"")}), {"1", "2", "3"}, {"\"best\" thing", "A thing", "\""}},
      {"open in two rows", rows({h, movement(1, "Screen 12\""), movement(2), movement(3, "Screen 15\""), movement(4)}), {"1", "2", "3", "4"}, {"Screen 12\"", "A thing", "Screen 15\"", "A thing"}},
      {"open in the last row", rows({h, movement(1), movement(2, "Screen 12\"")}), {"1", "2"}, {"A thing", "Screen 12\""}},
      {"open in the last cell", rows({h, movement(1) + "\t\"12\"\"", movement(2), movement(3)}), {"1", "2", "3"}, {"A thing", "A thing", "A thing"}},
      {"rows that are not quoted", rows({h, "03/14/2026\tX\tB\tSKU\t12\" pan\tAdjustments\t\t1\tPHX7\tSELLABLE\tM\tUS", "03/14/2026\tX\tB\tSKU\t\"pan\tAdjustments\t\t2\tPHX7\tSELLABLE\tM\tUS", movement(3)}),
       {"1", "2", "3"}, {"12\" pan", "pan", "A thing"}},
      {"fewer cells, and more", rows({h, quoted({"03/14/2026", "X1", "B", "SKU", "A thing", "Adjustments", "", "1"}), movement(2) + "\t\"0\"\t\"1\"", movement(3)}), {"1", "2", "3"}, {"A thing", "A thing", "A thing"}},
  };
  for (const auto& f : files)
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, f.text.size()}) {
      CAPTURE(std::string(f.name));
      CAPTURE(piece);
      const auto read = read_document(kLedger, f.text, piece);
      REQUIRE(read);
      std::vector<std::string> quantities, titles;
      for (const DecodedRow& row : read->rows) {
        quantities.push_back(text_of(kLedger, row, "quantity"));
        titles.push_back(text_of(kLedger, row, "title"));
        CHECK(row.readable);
      }
      CHECK(quantities == f.quantities);
      CHECK(titles == f.titles);
    }
  // However many follow, and however many are open.
  std::string many = h + "\n";
  for (int n = 1; n <= 3'000; ++n) many += movement(n, n % 7 == 0 ? "Screen 12\"" : n % 11 == 0 ? "two\nlines" : "A thing") + "\n";
  const auto read = read_document(kLedger, many, 4'096);
  REQUIRE(read);
  REQUIRE(read->stored == 3'000);
  for (std::size_t n = 0; n < 3'000; ++n) CHECK(text_of(kLedger, read->rows[n], "quantity") == std::to_string(n + 1));
}

TEST_CASE("each value of a row is in a column, in the rest, or told: columns that nobody knows, that stand twice, that have no name or a foreign one") {
  const auto read = read_document(kReimbursements, lines({kReimbursementHeader + "\tnew\tnew\t\t\xE6\x97\xA5\xE4\xBB\x98\t\xE7\x90\x86\xE7\x94\xB1\tcolumn19", reimbursement(1) + "\tv1\tv2\tv3\tv4\tv5\tv6\tv7\tv8"}), 64);
  REQUIRE(read);
  REQUIRE(read->stored == 1);
  const auto detail = JsonDocument::parse(read->rows[0].row.detail);
  REQUIRE(detail);
  std::vector<std::string> values;
  for (const Json v : detail->root()) values.emplace_back(v.text());
  std::sort(values.begin(), values.end());
  CHECK(values == std::vector<std::string>{"v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"});
  CHECK((*detail)["\xE6\x97\xA5\xE4\xBB\x98"].text() == "v4");
}

TEST_CASE("numbers of a report are read as they are meant, or are NULL with their text kept") {
  const struct {
    const char* text;
    const char* amount;    ///< micros, or the fault
    const char* quantity;
  } numbers[]{{"1.50", "1500000", "number_malformed"},
              {"2", "2000000", "2"},
              {"2.0", "2000000", "2"},
              {"+3", "3000000", "3"},
              {"-3", "-3000000", "-3"},
              {"007", "7000000", "7"},
              {".5", "500000", "number_malformed"},
              {"12,50", "12500000", "number_malformed"},
              {" 4 ", "4000000", "4"},
              {"", "NULL", "NULL"},
              {"--", "NULL", "NULL"},
              // A comma before three digits may part thousands or cents: that is not for us to say.
              {"1,234", "amount_malformed", "number_malformed"},
              {"1,000", "amount_malformed", "number_malformed"},
              {"-1,000", "amount_malformed", "number_malformed"},
              {"0,125", "125000", "number_malformed"},
              // So may a dot before three digits of a number of units; of money a dot always parts decimals.
              {"1.000", "1000000", "number_malformed"},
              {"-12.000", "-12000000", "number_malformed"},
              {"0.000", "0", "0"},
              {"1234.000", "1234000000", "1234"},
              {"3.0000", "3000000", "3"},
              {"1,234.56", "1234560000", "number_malformed"},
              {"1.234,56", "1234560000", "number_malformed"},
              {"1,234,567", "1234567000000", "1234567"},
              {"1 234", "amount_malformed", "number_malformed"},
              {"$5", "amount_malformed", "number_malformed"},
              {"5 USD", "amount_malformed", "number_malformed"},
              {"(5)", "amount_malformed", "number_malformed"},
              {"1e400", "amount_out_of_range", "number_malformed"},
              {"99999999999999999999", "amount_out_of_range", "number_malformed"},
              {"0.1234567", "amount_finer_than_micros", "number_malformed"},
              {"NaN", "amount_malformed", "number_malformed"},
              {"-", "amount_malformed", "number_malformed"},
              {"0x10", "amount_malformed", "number_malformed"},
              {"many", "amount_malformed", "number_malformed"}};
  for (const auto& n : numbers) {
    CAPTURE(std::string(n.text));
    const auto read = read_document(kReimbursements, lines({"approval-date\treimbursement-id\tsku\tcurrency-unit\tamount-total\tquantity-reimbursed-cash",
                                                           "2026-03-14\t1\tA\tUSD\t" + std::string(n.text) + "\t" + n.text}),
                                    64);
    REQUIRE(read);
    REQUIRE(read->stored == 1);
    std::map<std::string, const store::Fault*> faults;
    for (const store::Fault& f : read->rows[0].row.faults) faults[f.path] = &f;
    for (const auto& [column, expected] : {std::pair{"amount_micros", n.amount}, {"quantity_cash", n.quantity}}) {
      CAPTURE(std::string(column));
      const std::string held = text_of(kReimbursements, read->rows[0], column);
      if (!faults.contains(column)) {
        CHECK(held == expected);
        continue;
      }
      CHECK(held == "NULL");
      CHECK(faults[column]->reason == expected);
      std::string raw;
      append_json_string(raw, n.text);
      CHECK(faults[column]->raw == raw);
    }
  }
}

TEST_CASE("weights and sizes keep the number that they are") {
  const struct {
    const char* text;
    const char* held;
  } numbers[]{{"1.20", "1.2"}, {"1,250", "1.25"}, {"0,5", "0.5"}, {"12", "12"}, {"-0.0", "0"}, {"--", "NULL"}, {"heavy", "NULL"}, {"1e3", "NULL"}, {"1.2.3", "NULL"}};
  for (const auto& n : numbers) {
    CAPTURE(std::string(n.text));
    const auto read = read_document(kFeePreview, lines({"sku\tcurrency\titem-package-weight", "A\tUSD\t" + std::string(n.text)}), 64);
    REQUIRE(read);
    REQUIRE(read->stored == 1);
    CHECK(text_of(kFeePreview, read->rows[0], "item_package_weight") == n.held);
    CHECK(read->rows[0].row.faults.size() == (std::string_view(n.held) == "NULL" && std::string_view(n.text) != "--" ? 1 : 0));
  }
}

TEST_CASE("identifiers are text, with every zero") {
  const auto read = read_document(kReimbursements, lines({"approval-date\treimbursement-id\tcase-id\tsku\tcurrency-unit\tamount-total", "2026-03-14\t0012\t000\t007\tUSD\t1"}), 64);
  REQUIRE(read);
  REQUIRE(read->stored == 1);
  CHECK(text_of(kReimbursements, read->rows[0], "reimbursement_id") == "0012");
  CHECK(text_of(kReimbursements, read->rows[0], "case_id") == "000");
  CHECK(text_of(kReimbursements, read->rows[0], "sku") == "007");
}

TEST_CASE("every charset's text comes out as it was meant, and bytes that are no text are kept") {
  const auto title = [](std::string_view bytes, Charset charset) {
    const auto read = read_document(kReimbursements, lines({kReimbursementHeader, reimbursement(1, std::string(bytes)), reimbursement(2)}), 5, charset);
    REQUIRE(read);
    CHECK(read->stored == 2);
    return text_of(kReimbursements, read->rows[0], "product_name");
  };
  CHECK(title("caf\xC3\xA9 \xE2\x82\xAC", Charset::utf8) == "café €");
  CHECK(title("caf\xE9 \x80 \x81", Charset::cp1252) == "café € \xC2\x81");
  CHECK(title("\x83\x65\x83\x58\x83\x67\x95\x5C", Charset::shift_jis) == "テスト表");   // its last byte is a backslash elsewhere
  CHECK(title("caf\xE9", Charset::utf8) == "café");                                    // said to be UTF-8, and is not
  CHECK(title("\x83", Charset::shift_jis) == "ƒ");                                     // said to be Shift-JIS, and is cut off
  CHECK(title("caf?", Charset::cp1252) == "caf?");                                     // lost at Amazon's already
  // UTF-16 is none of the three, whichever way round: its NULs would look like a header to who leaves them out.
  const std::string plain = lines({kReimbursementHeader, reimbursement(1)});
  for (const bool little : {false, true})
    for (const bool mark : {false, true}) {
      std::string wide = mark ? (little ? "\xFF\xFE" : "\xFE\xFF") : "";
      for (const char c : plain) little ? wide.append({c, '\0'}) : wide.append({'\0', c});
      for (const Charset charset : {Charset::utf8, Charset::cp1252, Charset::shift_jis}) CHECK(read_document(kReimbursements, wide, 7, charset).code() == Code::bad_answer);
      CHECK(read_document(kFeePreview, lines({"sku\tcurrency", "A\tUSD"}), 7)->stored == 1);
    }
}

TEST_CASE("packed once, twice or in several pieces a document is the same, and one that is cut off is refused") {
  const std::string text = lines({kReimbursementHeader, reimbursement(1), reimbursement(2), reimbursement(3)});
  const std::string once = gzipped(text), twice = gzipped(once);
  for (const std::string& bytes : {text, once, twice, gzipped(twice), gzipped(text.substr(0, 150)) + gzipped(text.substr(150))}) {
    const auto read = read_document(kReimbursements, bytes, 11);
    REQUIRE(read);
    CHECK(read->stored == 3);
  }
  for (const std::string& bytes : {once, twice})
    for (std::size_t length = 1; length < bytes.size(); ++length) {
      CAPTURE(length);
      CHECK(read_document(kReimbursements, bytes.substr(0, length), 11).code() == Code::bad_answer);
    }
  for (std::size_t at = 2; at < once.size(); at += 3) {
    CAPTURE(at);
    std::string damaged = once;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    // What unpacks all the same (a byte of the header that says nothing) has all its rows.
    if (const auto read = read_document(kReimbursements, damaged, 11)) CHECK(read->stored == 3);
  }
}
TEST_CASE("documents with random damage keep the law") {
  amzsim::Random random(12);
  for (const ReportDataset* dataset : {&kReimbursements, &kLedger, &kLedgerSummary, &kReturns, &kFeePreview, &kStorageFees, &kRemovals})
    for (const bool quotes : {false, true}) {
      CAPTURE(std::string(dataset->stream));
      CAPTURE(quotes);
      const auto line_of = [&](const auto& cell) {
        std::string line;
        for (const ReportColumn& column : dataset->columns) line += (line.empty() ? "" : "\t") + (quotes ? '"' + std::string(cell(column)) + '"' : std::string(cell(column)));
        return line + "\n";
      };
      const std::string header = line_of([](const ReportColumn& c) { return std::string(c.headers.substr(0, c.headers.find('|'))); });
      std::string rows;
      for (int n = 1; n <= 5; ++n)
        rows += line_of([&](const ReportColumn& c) { return c.kind == CellKind::text ? "text " + std::to_string(n) : c.kind == CellKind::instant || c.kind == CellKind::day ? std::string("2026-03-14") : std::to_string(n); });
      const auto whole = read_document(*dataset, header + rows, 64);
      REQUIRE(whole);
      CHECK(whole->stored == 5);
      for (const DecodedRow& row : whole->rows) CHECK(row.row.faults.empty());
      for (int i = 0; i < 1'500; ++i) {
        const std::string damaged = support::damaged(random, rows, quotes ? support::kAllBits.substr(1) : support::kAllBits);   // a line break may stand inside quotes
        CAPTURE(damaged);
        const auto read = read_document(*dataset, header + damaged, static_cast<std::size_t>(random.between(1, 40)));
        REQUIRE(read);   // rows refuse no document
        std::size_t all = 0;
        for (std::size_t at = 0; at < damaged.size();) {
          const std::size_t end = std::min(damaged.find('\n', at), damaged.size());
          if (damaged.substr(at, end - at).find_first_not_of('\r') != std::string::npos) ++all;
          at = end + 1;
        }
        CHECK(read->stored + read->unreadable == all);
      }
    }
}

TEST_CASE("European settlements are read: days before months, dots between thousands, ids and dates in the first row alone") {
  const std::string header = "settlement-id\tsettlement-start-date\tsettlement-end-date\tdeposit-date\ttotal-amount\tcurrency\tamount-type\tamount\tposted-date-time";
  const auto document = read_document(kSettlements, header + "\n22\t01.10.2026 00:00:00 UTC\t15.10.2026 08:49:04 UTC\t17.10.2026\t1.234,56\tEUR\t\t\t\n\t\t\t\t\t\tItemPrice\t1.000,00\t03.10.2026 10:11:12 UTC\n"
                                                          "\t\t\t\t\t\tItemPrice\t1,234,567.5\t10/04/2026 10:11:12\n",
                                      4096);
  REQUIRE(document);
  REQUIRE(document->stored == 3);
  const auto number = [&](std::size_t row, std::string_view column) { return std::get<std::int64_t>(value(kSettlements, document->rows[row], column)); };
  CHECK(number(0, "total_amount_micros") == 1'234'560'000);
  CHECK(number(0, "ended_at") == to_us(*parse_instant("2026-10-15T08:49:04Z")));
  CHECK(number(1, "amount_micros") == 1'000'000'000);
  CHECK(number(1, "posted_at") == to_us(*parse_instant("2026-10-03T10:11:12Z")));
  CHECK(number(2, "amount_micros") == 1'234'567'500'000);
  CHECK(number(2, "posted_at") == to_us(*parse_instant("2026-10-04T10:11:12Z")));
  for (const std::size_t row : {0, 1, 2}) {
    CHECK(std::get<std::string>(value(kSettlements, document->rows[row], "settlement_id")) == "22");
    CHECK(document->rows[row].row.faults.empty());
    CHECK(number(row, "line") == static_cast<std::int64_t>(row) + 1);
  }
  // Of two columns that tell the same the one that holds something counts, in each row.
  const auto both = read_document(kSettlements, "settlement-id\tsettlement-end-date\ttotal-amount\tcurrency\tamount\tposted-date\tposted-date-time\n22\t15.10.2026\t1\tEUR\t1\t03.10.2026\t\n22\t15.10.2026\t1\tEUR\t1\t03.10.2026\t03.10.2026 10:11:12 UTC\n", 4096);
  REQUIRE(both);
  CHECK(std::get<std::int64_t>(value(kSettlements, both->rows[0], "posted_at")) == to_us(*parse_instant("2026-10-03T00:00:00Z")));
  CHECK(std::get<std::int64_t>(value(kSettlements, both->rows[1], "posted_at")) == to_us(*parse_instant("2026-10-03T10:11:12Z")));
  // A row that belongs to no settlement is none.
  const auto nameless = read_document(kSettlements, header + "\n\t01.10.2026\t15.10.2026\t\t1\tEUR\t\t\t\n", 4096);
  REQUIRE(nameless);
  CHECK(nameless->stored == 0);
  CHECK(nameless->unreadable == 1);
  // What may be thousands or decimals is not guessed, and what is neither is no number.
  for (const char* odd : {"1,234", "1.2.3", "1,23,456.7", "1.234,56,7"}) {
    CAPTURE(std::string(odd));
    const auto row = read_document(kSettlements, header + "\n22\t\t15.10.2026\t\t" + odd + "\tEUR\t\t\t\n", 4096);
    REQUIRE(row);
    CHECK(row->rows[0].row.faults.size() == 1);
    CHECK(std::holds_alternative<std::monostate>(value(kSettlements, row->rows[0], "total_amount_micros")));
  }
}

TEST_CASE("a month's row belongs to its month, whichever day of it a file writes") {
  const auto summary = read_document(kLedgerSummary, quoted({"Date", "FNSKU", "MSKU", "Disposition", "Starting Warehouse Balance", "Ending Warehouse Balance", "Location"}) + "\n" +
                                                         quoted({"10/31/2026", "X", "M", "SELLABLE", "1", "2", "US"}) + "\n" + quoted({"10/2026", "X", "M", "DEFECTIVE", "1", "2", "US"}) + "\n",
                                     4096);
  REQUIRE(summary);
  REQUIRE(summary->stored == 2);
  for (const DecodedRow& row : summary->rows) CHECK(row.row.day == day_of(*parse_instant("2026-10-01")));
}

TEST_CASE("who bought it and where it went is kept of no report, whichever has columns of it") {
  const std::string header = kReimbursementHeader + "\tbuyer-name\trecipient-name\tship-address-1\tShip City\tcustomer-comments";
  const std::string row = reimbursement(1) + "\tMrs Private\tMr Private\t1 Private Road\tPrivateville\tprivate words";
  const auto read = read_document(kReimbursements, lines({header, row, row + "\tprivate and more", reimbursement(2)}), 64);
  REQUIRE(read);
  CHECK(read->rows.size() == 3);
  for (const DecodedRow& r : read->rows) {
    CHECK(r.row.detail.find("rivate") == std::string::npos);
    for (const auto& fault : r.row.faults) CHECK(fault.raw.find("rivate") == std::string::npos);
  }
}

TEST_CASE("what a buyer wrote is kept nowhere, however the row is torn") {
  const std::string header = "return-date\torder-id\tsku\tasin\tfnsku\tproduct-name\tquantity\tfulfillment-center-id\tdetailed-disposition\treason\tstatus\tlicense-plate-number\tcustomer-comments";
  const std::string row = "2026-10-01T00:00:00+00:00\t1\tS\tB\tX\tThing\t1\tPHX7\tSELLABLE\tR\tS\tL\t";
  const auto document = read_document(kReturns, header + "\n" + row + "SECRET one\tSECRET two\n" + row + "SECRET\nSECRET line two of it\n", 4096);
  REQUIRE(document);
  CHECK(document->stored == 2);
  CHECK(document->unreadable == 1);
  for (const DecodedRow& of : document->rows) {
    CHECK(of.row.detail.find("SECRET") == std::string::npos);
    for (const store::Fault& fault : of.row.faults) CHECK(fault.raw.find("SECRET") == std::string::npos);
  }
}

TEST_SUITE_END();
