-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 4: settlements, and shipments to Amazon.

-- Reports that can't be asked for: Amazon makes them, and the list of reports tells of them. Such a job stands for one listed report.
ALTER TABLE report_jobs ADD COLUMN listed TEXT NOT NULL DEFAULT '';    -- the report's id; '' = one that was asked for
DROP INDEX report_jobs_open;
CREATE UNIQUE INDEX report_jobs_open ON report_jobs(user_no, report_type, from_day, until_day, listed) WHERE state <> 'over';
CREATE INDEX report_jobs_listed ON report_jobs(user_no, report_type, listed) WHERE listed <> '';

-- GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2; a document holds one settlement
CREATE TABLE settlements (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  settlement_id TEXT,
  line INTEGER,
  started_at INTEGER,
  ended_at INTEGER,
  deposited_at INTEGER,
  total_amount_micros INTEGER,
  currency TEXT,
  transaction_type TEXT,
  order_id TEXT,
  adjustment_id TEXT,
  shipment_id TEXT,
  marketplace_name TEXT,
  amount_type TEXT,
  amount_description TEXT,
  amount_micros INTEGER,
  fulfillment_id TEXT,
  posted_at INTEGER,
  order_item_id TEXT,
  sku TEXT,
  quantity INTEGER,
  promotion_id TEXT,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX settlements_identity ON settlements(user_no, day, identity, occurrence);
CREATE INDEX settlements_by_id ON settlements(user_no, settlement_id);

-- Fulfillment Inbound v0. Day is always 0: these rows have none of Amazon's.
-- getShipments
CREATE TABLE inbound_shipments (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  shipment_id TEXT,
  name TEXT,
  status TEXT,
  marketplace_id TEXT,
  destination_fc TEXT,
  ship_from_country TEXT,
  label_prep TEXT,
  cases_required INTEGER,
  needed_by_day INTEGER,
  box_contents_source TEXT,
  box_contents_units INTEGER,
  box_contents_fee_micros INTEGER,
  currency TEXT,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX inbound_shipments_identity ON inbound_shipments(user_no, day, identity, occurrence);

-- When a shipment was first seen in a state: Amazon tells no dates.
CREATE TABLE inbound_statuses (
  user_no INTEGER NOT NULL,
  shipment_row INTEGER NOT NULL,         -- of inbound_shipments
  seen_at INTEGER NOT NULL,
  status TEXT NOT NULL,
  run_no INTEGER NOT NULL,
  PRIMARY KEY (user_no, shipment_row, seen_at)
) STRICT, WITHOUT ROWID;

-- getShipmentItems
CREATE TABLE inbound_items (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  shipment_id TEXT,
  seller_sku TEXT,
  fnsku TEXT,
  quantity_shipped INTEGER,
  quantity_received INTEGER,
  quantity_in_case INTEGER,
  release_day INTEGER,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX inbound_items_identity ON inbound_items(user_no, day, identity, occurrence);
CREATE INDEX inbound_items_by_shipment ON inbound_items(user_no, shipment_id);

-- ---- the stable way to read them ----

CREATE VIEW amz_settlements AS
SELECT u.user_id, r.row_id, r.settlement_id, r.line, strftime('%Y-%m-%dT%H:%M:%S', r.started_at / 1000000, 'unixepoch') || printf('.%03dZ', r.started_at / 1000 % 1000) AS started_at,
       strftime('%Y-%m-%dT%H:%M:%S', r.ended_at / 1000000, 'unixepoch') || printf('.%03dZ', r.ended_at / 1000 % 1000) AS ended_at,
       strftime('%Y-%m-%dT%H:%M:%S', r.deposited_at / 1000000, 'unixepoch') || printf('.%03dZ', r.deposited_at / 1000 % 1000) AS deposited_at, r.total_amount_micros, r.currency,
       r.transaction_type, r.order_id, r.adjustment_id, r.shipment_id, r.marketplace_name, r.amount_type, r.amount_description, r.amount_micros, r.fulfillment_id,
       strftime('%Y-%m-%dT%H:%M:%S', r.posted_at / 1000000, 'unixepoch') || printf('.%03dZ', r.posted_at / 1000 % 1000) AS posted_at, r.order_item_id, r.sku, r.quantity,
       r.promotion_id, r.detail
FROM settlements r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_inbound_shipments AS
SELECT u.user_id, r.row_id, r.shipment_id, r.name, r.status, r.marketplace_id, r.destination_fc, r.ship_from_country, r.label_prep, r.cases_required,
       strftime('%Y-%m-%d', r.needed_by_day * 86400, 'unixepoch') AS needed_by_day, r.box_contents_source, r.box_contents_units, r.box_contents_fee_micros, r.currency, r.detail
FROM inbound_shipments r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_inbound_items AS
SELECT u.user_id, r.row_id, r.shipment_id, r.seller_sku, r.fnsku, r.quantity_shipped, r.quantity_received, r.quantity_in_case,
       strftime('%Y-%m-%d', r.release_day * 86400, 'unixepoch') AS release_day, r.detail
FROM inbound_items r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_inbound_statuses AS
SELECT u.user_id, s.shipment_id, r.status, strftime('%Y-%m-%dT%H:%M:%S', r.seen_at / 1000000, 'unixepoch') || printf('.%03dZ', r.seen_at / 1000 % 1000) AS seen_at
FROM inbound_statuses r
JOIN inbound_shipments s ON s.row_id = r.shipment_row
LEFT JOIN users u ON u.user_no = r.user_no;
