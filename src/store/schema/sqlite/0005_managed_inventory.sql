-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 5: what the seller manages at Amazon, to compare the stock with.

-- GET_FBA_MYI_UNSUPPRESSED_INVENTORY_DATA; a snapshot: day is always 0
CREATE TABLE managed_inventory (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  sku TEXT,
  fnsku TEXT,
  asin TEXT,
  product_name TEXT,
  condition TEXT,
  your_price TEXT,
  mfn_listing_exists TEXT,
  mfn_fulfillable INTEGER,
  afn_listing_exists TEXT,
  afn_warehouse INTEGER,
  afn_fulfillable INTEGER,
  afn_unsellable INTEGER,
  afn_reserved INTEGER,
  afn_total INTEGER,
  per_unit_volume TEXT,
  inbound_working INTEGER,
  inbound_shipped INTEGER,
  inbound_receiving INTEGER,
  researching INTEGER,
  reserved_future_supply INTEGER,
  future_supply_buyable INTEGER,
  store TEXT,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX managed_inventory_identity ON managed_inventory(user_no, day, identity, occurrence);

-- SKUs that a marketplace was asked for by name and did not have, so that it is not asked again at each sync.
CREATE TABLE inventory_absent (
  user_no INTEGER NOT NULL,
  marketplace_id TEXT NOT NULL,
  seller_sku TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  PRIMARY KEY (user_no, marketplace_id, seller_sku)
) STRICT, WITHOUT ROWID;

CREATE VIEW amz_managed_inventory AS
SELECT u.user_id, r.row_id, r.sku, r.fnsku, r.asin, r.product_name, r.condition, r.your_price, r.mfn_listing_exists, r.mfn_fulfillable, r.afn_listing_exists, r.afn_warehouse,
       r.afn_fulfillable, r.afn_unsellable, r.afn_reserved, r.afn_total, r.per_unit_volume, r.inbound_working, r.inbound_shipped, r.inbound_receiving, r.researching,
       r.reserved_future_supply, r.future_supply_buyable, r.store, r.detail
FROM managed_inventory r
LEFT JOIN users u ON u.user_no = r.user_no;
