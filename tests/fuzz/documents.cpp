// SPDX-License-Identifier: Apache-2.0
// Documents of reports, each dataset's, in every charset, packed or not.
#include <algorithm>
#include <array>

#include "base/crypto.hpp"
#include "base/gunzip.hpp"
#include "base/gzip.hpp"
#include "fuzz/targets.hpp"
#include "spapi/reports/datasets.hpp"
#include "support/documents.hpp"

namespace fuzz {
namespace {

using namespace amzsync::base;   // NOLINT: vocabulary
namespace spapi = amzsync::spapi;

constexpr std::array kDatasets{&spapi::kReimbursements, &spapi::kLedger, &spapi::kLedgerSummary, &spapi::kReturns, &spapi::kFeePreview, &spapi::kStorageFees, &spapi::kManagedInventory, &spapi::kRemovals, &spapi::kSettlements};
constexpr std::string_view kPrefix = "report.";

const spapi::ReportDataset& dataset_of(const Target& target) {
  return **std::find_if(kDatasets.begin(), kDatasets.end(), [&](const auto* d) { return target.name.substr(kPrefix.size()) == d->stream; });
}

/// Lines that are not empty, of a document that quotes nothing; each of them but the header is a row, readable or kept as it is.
std::size_t lines_in(std::string_view text) {
  std::size_t n = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (text.substr(0, end).find_first_not_of('\r') != std::string_view::npos) ++n;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return n;
}

bool is_valid_utf8(const std::string& text) { return clean_utf8(text, text.size() * 4 + 4) == text; }

std::string feed_document(const Target& target, std::string_view bytes) {
  const auto charset = static_cast<Charset>(take(bytes, 3));
  const std::size_t piece = 1 + take(bytes, 200);
  const auto read = support::read_document(dataset_of(target), bytes, piece, charset);
  if (!read) return read.code() == Code::bad_answer || read.code() == Code::answer_too_large ? "" : "refused as " + std::string(code_name(read.code()));
  const bool plain = bytes.find('"') == std::string_view::npos && !bytes.starts_with("\x1f\x8b") && !bytes.starts_with("\xEF\xBB\xBF");
  if (plain && lines_in(bytes) > 0 && read->stored + read->unreadable != lines_in(bytes) - 1)
    return std::to_string(lines_in(bytes) - 1) + " lines came, " + std::to_string(read->stored) + " rows and " + std::to_string(read->unreadable) + " unreadable";
  for (const auto& row : read->rows) {
    if (!row.readable && (row.row.faults.empty() || row.row.faults.front().raw.empty())) return "an unreadable row without what it was";
    for (const auto& value : row.row.values)
      if (const auto* text = std::get_if<std::string>(&value); text && !is_valid_utf8(*text)) return "text that is none";
  }
  return "";
}

std::vector<std::string> documents(const Target& target) {
  const auto& dataset = dataset_of(target);
  std::vector<std::string> seeds;
  for (const bool quotes : {false, true}) {
    const auto line_of = [&](const auto& cell) {
      std::string line;
      for (const spapi::ReportColumn& column : dataset.columns)
        if (column.kind != spapi::CellKind::row_number) line += (line.empty() ? "" : "\t") + (quotes ? '"' + std::string(cell(column)) + '"' : std::string(cell(column)));
      return line + "\r\n";
    };
    std::string text = line_of([](const spapi::ReportColumn& c) { return std::string(c.headers.substr(0, c.headers.find('|'))); });
    for (int n = 1; n <= 3; ++n)
      text += line_of([&](const spapi::ReportColumn& c) {
        return c.kind == spapi::CellKind::text ? "caf\xC3\xA9 \xE3\x82\xAB " + std::to_string(n) : c.kind == spapi::CellKind::instant || c.kind == spapi::CellKind::day ? std::string(n == 1 ? "2026-03-14T08:49:04-07:00" : n == 2 ? "03/14/2026" : "14.03.2026 08:49:04 UTC") : n == 3 ? "1.234,50" : std::to_string(n) + ".25";
      });
    for (const char charset : {'\0', '\1', '\2'}) seeds.push_back(std::string(1, charset) + "\x40" + text);
    seeds.push_back(std::string(1, '\0') + "\x40" + gzipped(text));
  }
  return seeds;
}

// ---- unpacking ----

std::string feed_gunzip(const Target&, std::string_view bytes) {
  constexpr std::uint64_t kMost = 1U << 20;
  const std::size_t piece = 1 + take(bytes, 100);
  std::uint64_t came = 0;
  const Gunzip::Out out = [&](std::string_view text) -> Status { return came += text.size(), Done{}; };
  Gunzip gunzip(kMost);
  Status status = Done{};
  for (std::size_t at = 0; at < bytes.size() && status; at += piece) status = gunzip.push(bytes.substr(at, piece), out);
  if (status) status = gunzip.finish(out);
  if (came > kMost) return "more came out than may";
  if (!status && status.code() != Code::bad_answer && status.code() != Code::answer_too_large) return "refused as " + std::string(code_name(status.code()));
  // What is packed comes out as it was.
  std::string again;
  Gunzip other(kMost);
  const std::string packed = gzipped(bytes);
  const Gunzip::Out keep = [&](std::string_view text) -> Status { return again += text, Done{}; };
  if (!bytes.starts_with("\x1f\x8b") && (!other.push(packed, keep) || !other.finish(keep) || again != bytes)) return "a packed text came out as another one";
  return "";
}

std::vector<std::string> packed(const Target&) { return {"\x20" + gzipped("a text"), "\x05" + gzipped(gzipped("twice")), "\x01" + gzipped("one") + gzipped("two"), "\x40" + gzipped(std::string(100'000, 'x'))}; }

}  // namespace

std::vector<Target> document_targets() {
  std::vector<Target> targets{{"gunzip", &feed_gunzip, &packed}};
  for (const auto* dataset : kDatasets) targets.push_back({std::string(kPrefix) + std::string(dataset->stream), &feed_document, &documents});
  return targets;
}

}  // namespace fuzz
