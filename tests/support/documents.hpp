// SPDX-License-Identifier: Apache-2.0
// A report's document, read as a sync reads it: unpacked, cut into rows, decoded.
#pragma once

#include <string_view>
#include <vector>

#include "spapi/report_dataset.hpp"

namespace support {

using namespace amzsync::base;   // NOLINT: vocabulary

struct Document {
  std::vector<amzsync::spapi::DecodedRow> rows;
  std::size_t stored = 0, unreadable = 0;
};

/// As it comes, in pieces of a size.
Result<Document> read_document(const amzsync::spapi::ReportDataset& dataset, std::string_view bytes, std::size_t piece, Charset charset = Charset::utf8);

}  // namespace support
