// SPDX-License-Identifier: Apache-2.0
#include "support/documents.hpp"

#include <utility>

#include "base/gunzip.hpp"

namespace support {

using namespace amzsync::spapi;

Result<Document> read_document(const ReportDataset& dataset, std::string_view bytes, std::size_t piece, Charset charset) {
  Document d;
  RowDecoder decoder(dataset, charset);
  TableReader reader;
  bool first = true;
  const TableReader::RowFn row = [&](std::span<const std::string_view> cells, std::string_view line) -> Status {
    if (std::exchange(first, false)) return decoder.header(cells, line);
    d.rows.push_back(decoder.decode(cells));
    ++(d.rows.back().readable ? d.stored : d.unreadable);
    return Done{};
  };
  const Gunzip::Out out = [&](std::string_view text) { return reader.push(text, row); };
  Gunzip gunzip(64U << 20);
  for (std::size_t at = 0; at < bytes.size(); at += piece) AMZ_CHECK(gunzip.push(bytes.substr(at, piece), out));
  AMZ_CHECK(gunzip.finish(out));
  AMZ_CHECK(reader.finish(row));
  return d;
}

}  // namespace support
