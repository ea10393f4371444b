// SPDX-License-Identifier: Apache-2.0
#include "spapi/reports/datasets.hpp"

namespace amzsync::spapi {

store::ReportTable table_of(const ReportDataset& dataset) {
  store::ReportTable table{dataset.stream, {}, dataset.part, dataset.history, dataset.kept};
  for (const ReportColumn& column : dataset.columns) table.columns.push_back(column.name);
  return table;
}

}  // namespace amzsync::spapi
