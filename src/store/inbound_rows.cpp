// SPDX-License-Identifier: Apache-2.0
#include "store/inbound_rows.hpp"

namespace amzsync::store {
namespace {

constexpr std::string_view kStream = "inbound";

}  // namespace

/// In the order in which they were seen, also where one before was dated by a clock that was ahead.
void note_shipment_statuses(const RunTx& run, std::span<const ReportRow> shipments) {
  for (const ReportRow& row : shipments)
    run.tx().run(
        "INSERT INTO inbound_statuses(user_no, shipment_row, seen_at, status, run_no) SELECT s.user_no, s.row_id, coalesce((SELECT max(l.seen_at)+1 FROM inbound_statuses l WHERE l.user_no=s.user_no AND l.shipment_row=s.row_id AND l.seen_at>=?3), ?3), s.status, ?4 FROM inbound_shipments s WHERE s.user_no=?1 AND s.day=0 AND "
        "s.identity=?2 AND s.occurrence=0 AND s.status IS NOT NULL AND s.status IS DISTINCT FROM (SELECT l.status FROM inbound_statuses l WHERE l.user_no=s.user_no AND l.shipment_row=s.row_id ORDER BY "
        "l.seen_at DESC LIMIT 1) ON CONFLICT (user_no, shipment_row, seen_at) DO UPDATE SET status=excluded.status",
        run.user(), row.identity, run.tx().now(), run.run());
}

void close_inbound(const RunTx& run, const Hash128& what, Instant began) {
  const auto rows = run.tx().integer("SELECT count(*) FROM inbound_items WHERE user_no=?1", run.user()).value_or(0);
  const ReportDay all[]{{kSnapshotDay, rows, what}};
  close_report_days(run, ReportTable{kStream, {}, {}}, all, {}, kSnapshotDay, began);
}

std::optional<InboundReading> last_inbound_reading(Tx& tx, UserNo user) {
  const auto known = cells(tx, user, kStream, kSnapshotDay, kSnapshotDay + std::chrono::days(1));
  if (known.empty() || !known.front().digest || !known.front().read_until) return std::nullopt;
  return InboundReading{*known.front().digest, *known.front().read_until};
}

}  // namespace amzsync::store
