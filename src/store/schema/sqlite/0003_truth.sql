-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 3.

-- Where the seller signed in; '' = never told.
ALTER TABLE connections ADD COLUMN marketplace TEXT NOT NULL DEFAULT '';

-- The changes feed. Each change of an entity row has a number of its user's; changes of neighbouring rows that were made together share a
-- row here, which stands for the numbers change_seq, change_seq + 1, … of the rows first_row, first_row + 1, …
ALTER TABLE users ADD COLUMN change_seq INTEGER NOT NULL DEFAULT 0;    -- the newest number
ALTER TABLE users ADD COLUMN changes_after INTEGER NOT NULL DEFAULT 0; -- changes up to this one are no longer kept
CREATE TABLE changes (
  user_no INTEGER NOT NULL,
  change_seq INTEGER NOT NULL,
  stream TEXT NOT NULL,
  first_row INTEGER NOT NULL,
  count INTEGER NOT NULL,
  gone INTEGER NOT NULL,                  -- 1: the rows are no more
  at INTEGER NOT NULL,
  PRIMARY KEY (user_no, change_seq)
) STRICT, WITHOUT ROWID;
-- How far a reader of the host's has come, by its own word.
CREATE TABLE change_readers (
  user_no INTEGER NOT NULL,
  reader TEXT NOT NULL,
  change_seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (user_no, reader)
) STRICT, WITHOUT ROWID;

-- With its number, by which the feed names a row.
DROP VIEW amz_inventory;
CREATE VIEW amz_inventory AS
SELECT u.user_id, i.inventory_id, i.marketplace_id, i.seller_sku, i.fnsku, i.asin, i.condition, i.product_name, i.total_quantity, i.fulfillable,
       i.inbound_working, i.inbound_shipped, i.inbound_receiving,
       i.reserved_total, i.reserved_customer_orders, i.reserved_transfers, i.reserved_processing,
       i.researching_total, i.researching_short_term, i.researching_mid_term, i.researching_long_term,
       i.unfulfillable_total, i.customer_damaged, i.warehouse_damaged, i.distributor_damaged, i.carrier_damaged, i.defective, i.expired,
       strftime('%Y-%m-%dT%H:%M:%S', i.last_updated_at / 1000000, 'unixepoch') || printf('.%03dZ', i.last_updated_at / 1000 % 1000) AS last_updated_at,
       strftime('%Y-%m-%dT%H:%M:%S', i.changed_at / 1000000, 'unixepoch') || printf('.%03dZ', i.changed_at / 1000 % 1000) AS changed_at
FROM inventory i
LEFT JOIN users u ON u.user_no = i.user_no
WHERE i.closed_at IS NULL;

-- The first day of a silence that does not go with what the stream showed before; NULL: none.
ALTER TABLE stream_states ADD COLUMN silent_since INTEGER;
