-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 2: reports.

-- What was asked of Amazon's report service. One job per span at a time that is not over; see src/store/report_jobs.hpp.
CREATE TABLE report_jobs (
  job_no INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  report_type TEXT NOT NULL,
  from_day INTEGER NOT NULL,
  until_day INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asking', 'waiting', 'ready', 'archived', 'over')),
  asked_at INTEGER NOT NULL,
  report_id TEXT NOT NULL DEFAULT '',
  document_id TEXT NOT NULL DEFAULT '',
  archive_no INTEGER NOT NULL DEFAULT 0,
  outcome TEXT NOT NULL DEFAULT '',       -- imported, no_data, fatal, lost
  reason TEXT NOT NULL DEFAULT '',
  ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX report_jobs_open ON report_jobs(user_no, report_type, from_day, until_day) WHERE state <> 'over';
CREATE INDEX report_jobs_over ON report_jobs(ended_at) WHERE state = 'over';

-- Until when a type of report is not asked for again, after it came to nothing.
CREATE TABLE report_pauses (
  user_no INTEGER NOT NULL,
  report_type TEXT NOT NULL,
  until_at INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (user_no, report_type)
) STRICT, WITHOUT ROWID;

-- Documents as Amazon sent them (packed, where it packed them), in pieces.
CREATE TABLE archive (
  archive_no INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  stream TEXT NOT NULL,
  run_no INTEGER NOT NULL,
  from_day INTEGER NOT NULL,
  until_day INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  marketplace TEXT NOT NULL,
  read_until INTEGER NOT NULL,
  pieces INTEGER NOT NULL DEFAULT 0,
  whole INTEGER NOT NULL DEFAULT 0,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX archive_of_user ON archive(user_no, stream);
CREATE INDEX archive_by_age ON archive(at);
CREATE TABLE archive_pieces (
  piece_id INTEGER PRIMARY KEY,           -- archive_no << 20 | number of the piece
  bytes BLOB NOT NULL
) STRICT;

-- The reports. Columns that all have: identity and occurrence tell rows of a day apart, content whether one changed, detail holds the
-- file's other columns as JSON.
-- GET_FBA_REIMBURSEMENTS_DATA
CREATE TABLE reimbursements (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  approved_at INTEGER,
  reimbursement_id TEXT,
  case_id TEXT,
  order_id TEXT,
  reason TEXT,
  sku TEXT,
  fnsku TEXT,
  asin TEXT,
  product_name TEXT,
  condition TEXT,
  currency TEXT,
  amount_per_unit_micros INTEGER,
  amount_micros INTEGER,
  quantity_cash INTEGER,
  quantity_inventory INTEGER,
  quantity_total INTEGER,
  original_reimbursement_id TEXT,
  original_reimbursement_type TEXT,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX reimbursements_identity ON reimbursements(user_no, day, identity, occurrence);

-- GET_LEDGER_DETAIL_VIEW_DATA
CREATE TABLE ledger (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  ledger_day INTEGER,
  fnsku TEXT,
  asin TEXT,
  msku TEXT,
  title TEXT,
  event_type TEXT,
  reference_id TEXT,
  quantity INTEGER,
  fulfillment_center TEXT,
  disposition TEXT,
  reason TEXT,
  country TEXT,
  reconciled_quantity INTEGER,
  unreconciled_quantity INTEGER,
  occurred_at INTEGER,
  store TEXT,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ledger_identity ON ledger(user_no, day, identity, occurrence);

-- GET_LEDGER_SUMMARY_VIEW_DATA
CREATE TABLE ledger_summary (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  period INTEGER,
  fnsku TEXT,
  asin TEXT,
  msku TEXT,
  title TEXT,
  disposition TEXT,
  starting_balance INTEGER,
  in_transit INTEGER,
  receipts INTEGER,
  customer_shipments INTEGER,
  customer_returns INTEGER,
  vendor_returns INTEGER,
  warehouse_transfers INTEGER,
  found INTEGER,
  lost INTEGER,
  damaged INTEGER,
  disposed INTEGER,
  other_events INTEGER,
  ending_balance INTEGER,
  unknown_events INTEGER,
  location TEXT,
  store TEXT,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ledger_summary_identity ON ledger_summary(user_no, day, identity, occurrence);

-- GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA
CREATE TABLE returns (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  returned_at INTEGER,
  order_id TEXT,
  sku TEXT,
  asin TEXT,
  fnsku TEXT,
  product_name TEXT,
  quantity INTEGER,
  fulfillment_center TEXT,
  detailed_disposition TEXT,
  reason TEXT,
  status TEXT,
  license_plate_number TEXT,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX returns_identity ON returns(user_no, day, identity, occurrence);

-- GET_FBA_ESTIMATED_FBA_FEES_TXT_DATA
CREATE TABLE fee_preview (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  sku TEXT,
  fnsku TEXT,
  asin TEXT,
  amazon_store TEXT,
  product_name TEXT,
  product_group TEXT,
  brand TEXT,
  fulfilled_by TEXT,
  your_price_micros INTEGER,
  sales_price_micros INTEGER,
  longest_side TEXT,
  median_side TEXT,
  shortest_side TEXT,
  length_and_girth TEXT,
  unit_of_dimension TEXT,
  item_package_weight TEXT,
  unit_of_weight TEXT,
  product_size_tier TEXT,
  currency TEXT,
  estimated_fee_total_micros INTEGER,
  estimated_referral_fee_micros INTEGER,
  estimated_variable_closing_fee_micros INTEGER,
  expected_fulfillment_fee_micros INTEGER,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX fee_preview_identity ON fee_preview(user_no, day, identity, occurrence);

-- GET_FBA_STORAGE_FEE_CHARGES_DATA
CREATE TABLE storage_fees (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  month INTEGER,
  asin TEXT,
  fnsku TEXT,
  fulfillment_center TEXT,
  country_code TEXT,
  product_name TEXT,
  longest_side TEXT,
  median_side TEXT,
  shortest_side TEXT,
  measurement_units TEXT,
  weight TEXT,
  weight_units TEXT,
  item_volume TEXT,
  volume_units TEXT,
  product_size_tier TEXT,
  average_quantity_on_hand TEXT,
  average_quantity_pending_removal TEXT,
  total_item_volume TEXT,
  storage_rate_micros INTEGER,
  currency TEXT,
  monthly_fee_micros INTEGER,
  dangerous_goods_type TEXT,
  eligible_for_discount TEXT,
  qualifies_for_discount TEXT,
  incentive_fee_micros INTEGER,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX storage_fees_identity ON storage_fees(user_no, day, identity, occurrence);

-- GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA
CREATE TABLE removals (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  requested_at INTEGER,
  order_id TEXT,
  order_type TEXT,
  order_source TEXT,
  order_status TEXT,
  last_updated_at INTEGER,
  sku TEXT,
  fnsku TEXT,
  disposition TEXT,
  requested_quantity INTEGER,
  cancelled_quantity INTEGER,
  disposed_quantity INTEGER,
  shipped_quantity INTEGER,
  in_process_quantity INTEGER,
  removal_fee_micros INTEGER,
  currency TEXT,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX removals_identity ON removals(user_no, day, identity, occurrence);

-- ---- the stable way to read them ----

CREATE VIEW amz_reimbursements AS
SELECT u.user_id, r.row_id, strftime('%Y-%m-%dT%H:%M:%S', r.approved_at / 1000000, 'unixepoch') || printf('.%03dZ', r.approved_at / 1000 % 1000) AS approved_at, r.reimbursement_id, r.case_id, r.order_id, r.reason, r.sku,
       r.fnsku, r.asin, r.product_name, r.condition, r.currency, r.amount_per_unit_micros,
       r.amount_micros, r.quantity_cash, r.quantity_inventory, r.quantity_total, r.original_reimbursement_id, r.original_reimbursement_type, r.detail
FROM reimbursements r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_ledger AS
SELECT u.user_id, r.row_id, strftime('%Y-%m-%d', r.ledger_day * 86400, 'unixepoch') AS ledger_day, r.fnsku, r.asin, r.msku, r.title, r.event_type,
       r.reference_id, r.quantity, r.fulfillment_center, r.disposition, r.reason, r.country,
       r.reconciled_quantity, r.unreconciled_quantity, strftime('%Y-%m-%dT%H:%M:%S', r.occurred_at / 1000000, 'unixepoch') || printf('.%03dZ', r.occurred_at / 1000 % 1000) AS occurred_at, r.store, r.detail
FROM ledger r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_ledger_summary AS
SELECT u.user_id, r.row_id, strftime('%Y-%m', r.period * 86400, 'unixepoch') AS period, r.fnsku, r.asin, r.msku, r.title, r.disposition,
       r.starting_balance, r.in_transit, r.receipts, r.customer_shipments, r.customer_returns, r.vendor_returns,
       r.warehouse_transfers, r.found, r.lost, r.damaged, r.disposed, r.other_events,
       r.ending_balance, r.unknown_events, r.location, r.store, r.detail
FROM ledger_summary r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_returns AS
SELECT u.user_id, r.row_id, strftime('%Y-%m-%dT%H:%M:%S', r.returned_at / 1000000, 'unixepoch') || printf('.%03dZ', r.returned_at / 1000 % 1000) AS returned_at, r.order_id, r.sku, r.asin, r.fnsku, r.product_name,
       r.quantity, r.fulfillment_center, r.detailed_disposition, r.reason, r.status, r.license_plate_number, r.detail
FROM returns r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_fee_preview AS
SELECT u.user_id, r.row_id, r.sku, r.fnsku, r.asin, r.amazon_store, r.product_name, r.product_group,
       r.brand, r.fulfilled_by, r.your_price_micros, r.sales_price_micros, r.longest_side, r.median_side,
       r.shortest_side, r.length_and_girth, r.unit_of_dimension, r.item_package_weight, r.unit_of_weight, r.product_size_tier,
       r.currency, r.estimated_fee_total_micros, r.estimated_referral_fee_micros, r.estimated_variable_closing_fee_micros, r.expected_fulfillment_fee_micros, r.detail
FROM fee_preview r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_storage_fees AS
SELECT u.user_id, r.row_id, strftime('%Y-%m', r.month * 86400, 'unixepoch') AS month, r.asin, r.fnsku, r.fulfillment_center, r.country_code, r.product_name,
       r.longest_side, r.median_side, r.shortest_side, r.measurement_units, r.weight, r.weight_units,
       r.item_volume, r.volume_units, r.product_size_tier, r.average_quantity_on_hand, r.average_quantity_pending_removal, r.total_item_volume,
       r.storage_rate_micros, r.currency, r.monthly_fee_micros, r.dangerous_goods_type, r.eligible_for_discount, r.qualifies_for_discount,
       r.incentive_fee_micros, r.detail
FROM storage_fees r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_removals AS
SELECT u.user_id, r.row_id, strftime('%Y-%m-%dT%H:%M:%S', r.requested_at / 1000000, 'unixepoch') || printf('.%03dZ', r.requested_at / 1000 % 1000) AS requested_at, r.order_id, r.order_type, r.order_source, r.order_status, strftime('%Y-%m-%dT%H:%M:%S', r.last_updated_at / 1000000, 'unixepoch') || printf('.%03dZ', r.last_updated_at / 1000 % 1000) AS last_updated_at,
       r.sku, r.fnsku, r.disposition, r.requested_quantity, r.cancelled_quantity, r.disposed_quantity,
       r.shipped_quantity, r.in_process_quantity, r.removal_fee_micros, r.currency, r.detail
FROM removals r
LEFT JOIN users u ON u.user_no = r.user_no;

-- Transactions without a date, found again by their identity whatever window shows them.
CREATE INDEX transactions_undated ON transactions(user_no, identity) WHERE posted_at IS NULL;
