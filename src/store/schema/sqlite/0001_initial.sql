-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 1. Instants are microseconds since 1970 UTC, days are days since 1970 UTC, money is in micros.

CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- The oldest schema an engine may know and still read, or write, this database.
INSERT INTO meta VALUES ('min_reader', '1'), ('min_writer', '1');

-- Numbers handed out in blocks, so that a deleted row's number is never given again.
CREATE TABLE counters (name TEXT PRIMARY KEY NOT NULL, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('event', 1), ('progress', 0);

CREATE TABLE engines (
  engine_no INTEGER PRIMARY KEY AUTOINCREMENT,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER                       -- set at close, or by whoever proves it dead
) STRICT;

CREATE TABLE users (
  user_no INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL UNIQUE,
  journal_seq INTEGER NOT NULL DEFAULT 0, -- number of the user's newest event
  created_at INTEGER NOT NULL
) STRICT;

-- ---- connection ----

-- A consent trip: from the link to Amazon until the code is exchanged. The state itself is never stored, only its hash.
CREATE TABLE consents (
  state_hash BLOB PRIMARY KEY NOT NULL,
  user_no INTEGER NOT NULL,
  region TEXT NOT NULL,
  frontend_url TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  marketplace TEXT NOT NULL,              -- where the seller signs in; '' = the region's default
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  consumed_at INTEGER,
  seller_id TEXT NOT NULL DEFAULT '',
  code BLOB,                              -- sealed; kept from before the exchange until its outcome is known
  outcome TEXT                            -- 'connected' or an error code
) STRICT, WITHOUT ROWID;
CREATE INDEX consents_by_age ON consents(expires_at);

CREATE TABLE connections (
  connection_no INTEGER PRIMARY KEY,
  user_no INTEGER NOT NULL UNIQUE,
  region TEXT NOT NULL,
  seller_id TEXT NOT NULL DEFAULT '',
  seller_claim TEXT UNIQUE,               -- 'region/seller' where a seller may have one user only; NULL where sharing is allowed
  state TEXT NOT NULL CHECK (state IN ('pending', 'connected', 'needs_reauth', 'disconnected')),
  state_reason TEXT NOT NULL DEFAULT '',
  generation INTEGER NOT NULL DEFAULT 0,  -- counts authorisations
  app_id TEXT NOT NULL DEFAULT '',
  refresh_token BLOB,                     -- sealed
  access_token BLOB,                      -- sealed, a cache
  access_obtained_at INTEGER,
  access_expires_at INTEGER,
  authorised_at INTEGER,
  history_from INTEGER,                   -- day of the oldest data to be had, fixed when the seller first connected
  updated_at INTEGER NOT NULL,
  next_sync_at INTEGER,                   -- NULL: none planned
  empty_syncs INTEGER NOT NULL DEFAULT 0  -- completed runs in a row after which there were no recoveries
) STRICT;
CREATE INDEX connections_by_next_sync ON connections(next_sync_at) WHERE next_sync_at IS NOT NULL;

CREATE TABLE participations (
  user_no INTEGER NOT NULL,
  marketplace_id TEXT NOT NULL,
  name TEXT NOT NULL,
  country TEXT NOT NULL,
  currency TEXT NOT NULL,
  language TEXT NOT NULL,
  domain TEXT NOT NULL,
  store_name TEXT NOT NULL,
  participating INTEGER NOT NULL,
  suspended INTEGER NOT NULL,
  read_at INTEGER NOT NULL,
  PRIMARY KEY (user_no, marketplace_id)
) STRICT, WITHOUT ROWID;

-- Token buckets of Amazon's usage plans; the holder works on its copy and writes the level back.
CREATE TABLE buckets (
  app_id TEXT NOT NULL,
  account TEXT NOT NULL,                  -- the seller, else the connection
  region TEXT NOT NULL,
  operation TEXT NOT NULL,
  level REAL NOT NULL,
  rate REAL NOT NULL,                     -- per second, as Amazon last told
  as_of INTEGER NOT NULL,
  holder INTEGER NOT NULL DEFAULT 0,      -- engine_no, 0 = nobody
  held_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (app_id, account, region, operation)
) STRICT, WITHOUT ROWID;

-- ---- runs ----

CREATE TABLE runs (
  run_no INTEGER PRIMARY KEY AUTOINCREMENT,
  sync_id TEXT NOT NULL UNIQUE,
  user_no INTEGER NOT NULL,
  connection_no INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'in_progress', 'detecting', 'completed', 'partial', 'failed', 'cancelled')),
  cause TEXT NOT NULL,                    -- which trigger
  interactive INTEGER NOT NULL,           -- goes before scheduled ones
  asked TEXT NOT NULL,                    -- streams, comma-separated; '' = the default ones
  run_again TEXT,                         -- cause of a trigger that this run does not cover
  run_again_asked TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  progress INTEGER NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '',
  phase TEXT NOT NULL DEFAULT 'queued',
  detail TEXT NOT NULL DEFAULT '',
  eta_seconds INTEGER,                    -- of the passing progress; NULL: not known, or over
  fence INTEGER NOT NULL DEFAULT 0,       -- grows with each claim
  holder INTEGER NOT NULL DEFAULT 0,
  lease_until INTEGER NOT NULL DEFAULT 0,
  cancel_requested_at INTEGER,
  cancelled_by TEXT NOT NULL DEFAULT '',
  calls INTEGER NOT NULL DEFAULT 0,
  orders INTEGER NOT NULL DEFAULT 0,
  inventory INTEGER NOT NULL DEFAULT 0,
  fees INTEGER NOT NULL DEFAULT 0,
  claims INTEGER NOT NULL DEFAULT 0,
  error_code TEXT,
  error TEXT                              -- JSON
) STRICT;
-- One active run per user, ever. This index is the rule; nothing else is asked.
CREATE UNIQUE INDEX runs_one_active ON runs(user_no) WHERE status IN ('queued', 'in_progress', 'detecting');
CREATE INDEX runs_active ON runs(interactive DESC, run_no) WHERE status IN ('queued', 'in_progress', 'detecting');
CREATE INDEX runs_of_user ON runs(user_no, run_no);

CREATE TABLE run_streams (
  run_no INTEGER NOT NULL,
  stream TEXT NOT NULL,
  status TEXT NOT NULL,                   -- waiting, running, complete, incomplete, unauthorised
  fetched INTEGER NOT NULL DEFAULT 0,
  added INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL DEFAULT 0,
  removed INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  calls INTEGER NOT NULL DEFAULT 0,
  slices_done INTEGER NOT NULL DEFAULT 0,
  slices_known INTEGER NOT NULL DEFAULT 0,
  waiting_until INTEGER,
  coverage TEXT,                          -- of the stream when this run was done with it
  error TEXT,
  PRIMARY KEY (run_no, stream)
) STRICT, WITHOUT ROWID;

-- The newest passing progress of a run: overwritten, and gone when the run ends. Milestones are in the journal.
CREATE TABLE run_progress (
  run_no INTEGER PRIMARY KEY,
  user_no INTEGER NOT NULL,
  version INTEGER NOT NULL,
  payload TEXT NOT NULL
) STRICT;
CREATE INDEX run_progress_by_version ON run_progress(version);

CREATE TABLE journal (
  journal_no INTEGER PRIMARY KEY AUTOINCREMENT,
  user_no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  payload TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_by_user ON journal(user_no, seq);

-- ---- what is known of the seller ----

-- One day of one stream: how far it is read, and what was found.
CREATE TABLE cells (
  user_no INTEGER NOT NULL,
  stream TEXT NOT NULL,
  day INTEGER NOT NULL,
  state TEXT NOT NULL,                    -- open, provisional, settled, failed, unauthorised
  row_count INTEGER NOT NULL DEFAULT 0,
  fee_count INTEGER NOT NULL DEFAULT 0,
  digest BLOB,
  read_until INTEGER,                     -- the instant up to which the day was asked for
  first_read_at INTEGER,
  read_at INTEGER,
  changed_at INTEGER,
  PRIMARY KEY (user_no, stream, day)
) STRICT, WITHOUT ROWID;

-- The grid of request windows of a stream in which events without a date belong to the window they came in.
CREATE TABLE windows (
  user_no INTEGER NOT NULL,
  stream TEXT NOT NULL,
  first_day INTEGER NOT NULL,
  days INTEGER NOT NULL,
  PRIMARY KEY (user_no, stream, first_day)
) STRICT, WITHOUT ROWID;

-- How a stream as a whole stands: the word of `coverage`, and when one that is refused is probed again.
CREATE TABLE stream_states (
  user_no INTEGER NOT NULL,
  stream TEXT NOT NULL,
  coverage TEXT NOT NULL,                 -- complete, provisional, throttled, unauthorised, failed, not_asked
  since INTEGER NOT NULL,
  last_success_at INTEGER,
  probe_at INTEGER,
  error TEXT,
  PRIMARY KEY (user_no, stream)
) STRICT, WITHOUT ROWID;

-- Dictionaries, so that the big tables hold numbers.
CREATE TABLE shapes (
  shape_id INTEGER PRIMARY KEY,
  list TEXT NOT NULL,                     -- event list or transaction type
  path TEXT NOT NULL,                     -- place in Amazon's model, dotted, without indexes
  type TEXT NOT NULL,                     -- FeeType, ChargeType, breakdownType, … or ''
  kind TEXT NOT NULL CHECK (kind IN ('component', 'total')),
  fee INTEGER NOT NULL,                   -- 1: a fee charged by Amazon, counted in feesCount
  UNIQUE (list, path, type, kind)
) STRICT;
CREATE TABLE currencies (currency_id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE skus (sku_id INTEGER PRIMARY KEY, user_no INTEGER NOT NULL, sku TEXT NOT NULL, UNIQUE (user_no, sku)) STRICT;
CREATE TABLE event_types (type_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Finances 2024-06-19. Identity: transactionId. `continues`: a second row of one transaction that has more amounts than one
-- row's lines can be numbered; it exists so that every line finds its user, and is no transaction of its own.
CREATE TABLE transactions (
  event_id INTEGER PRIMARY KEY,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  type_id INTEGER NOT NULL,
  posted_at INTEGER,
  order_id TEXT,
  native_id TEXT,
  status TEXT,
  marketplace TEXT,
  description TEXT,
  total_micros INTEGER,
  currency_id INTEGER,
  detail TEXT NOT NULL,                   -- JSON: everything the row and its lines do not hold
  run_no INTEGER NOT NULL,                -- the run that wrote it last
  continues INTEGER
) STRICT;
CREATE UNIQUE INDEX transactions_identity ON transactions(user_no, day, identity, occurrence);
CREATE TABLE transaction_lines (
  line_id INTEGER PRIMARY KEY,            -- event_id << 12 | number of the line
  shape_id INTEGER NOT NULL,
  currency_id INTEGER,
  micros INTEGER,                         -- NULL: could not be held exactly; the raw text is in quarantine
  sku_id INTEGER
) STRICT;

-- Finances v0. Identity: content + occurrence number in the day.
CREATE TABLE financial_events (
  event_id INTEGER PRIMARY KEY,
  user_no INTEGER NOT NULL,
  day INTEGER NOT NULL,
  identity BLOB NOT NULL,
  occurrence INTEGER NOT NULL,
  content BLOB NOT NULL,
  type_id INTEGER NOT NULL,
  posted_at INTEGER,
  order_id TEXT,
  native_id TEXT,
  status TEXT,
  marketplace TEXT,
  description TEXT,
  total_micros INTEGER,
  currency_id INTEGER,
  detail TEXT NOT NULL,
  run_no INTEGER NOT NULL,
  continues INTEGER
) STRICT;
CREATE UNIQUE INDEX financial_events_identity ON financial_events(user_no, day, identity, occurrence);
CREATE TABLE financial_event_lines (
  line_id INTEGER PRIMARY KEY,
  shape_id INTEGER NOT NULL,
  currency_id INTEGER,
  micros INTEGER,
  sku_id INTEGER
) STRICT;

-- Reimbursements as the money streams show them, so that reading the recoveries costs what there is of them.
CREATE TABLE credits (
  user_no INTEGER NOT NULL,
  source TEXT NOT NULL,                   -- stream
  day INTEGER NOT NULL,
  event_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  currency_id INTEGER NOT NULL,
  micros INTEGER NOT NULL,
  PRIMARY KEY (user_no, source, day, event_id, seq)
) STRICT, WITHOUT ROWID;

-- FBA Inventory v1, one row per SKU and marketplace; closed when a complete walk no longer shows it.
CREATE TABLE inventory (
  inventory_id INTEGER PRIMARY KEY,
  user_no INTEGER NOT NULL,
  marketplace_id TEXT NOT NULL,
  seller_sku TEXT NOT NULL,
  fnsku TEXT, asin TEXT, condition TEXT, product_name TEXT,
  total_quantity INTEGER,
  fulfillable INTEGER,
  inbound_working INTEGER, inbound_shipped INTEGER, inbound_receiving INTEGER,
  reserved_total INTEGER, reserved_customer_orders INTEGER, reserved_transfers INTEGER, reserved_processing INTEGER,
  researching_total INTEGER, researching_short_term INTEGER, researching_mid_term INTEGER, researching_long_term INTEGER,
  unfulfillable_total INTEGER, customer_damaged INTEGER, warehouse_damaged INTEGER, distributor_damaged INTEGER,
  carrier_damaged INTEGER, defective INTEGER, expired INTEGER,
  last_updated_at INTEGER,
  detail TEXT NOT NULL,
  content BLOB NOT NULL,
  first_seen_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  closed_at INTEGER,
  run_no INTEGER NOT NULL,
  UNIQUE (user_no, marketplace_id, seller_sku)
) STRICT;
-- What a row said before it changed or was closed.
CREATE TABLE inventory_history (
  user_no INTEGER NOT NULL,
  inventory_id INTEGER NOT NULL,
  until INTEGER NOT NULL,                 -- when it stopped being so
  state TEXT NOT NULL,                    -- JSON of the quantities
  PRIMARY KEY (user_no, inventory_id, until)
) STRICT, WITHOUT ROWID;

-- What could not be read, with the reason and the bytes. The fingerprint keeps a re-read from telling it twice.
CREATE TABLE quarantine (
  quarantine_id INTEGER PRIMARY KEY,
  user_no INTEGER NOT NULL,
  stream TEXT NOT NULL,
  run_no INTEGER NOT NULL,
  day INTEGER,
  event_id INTEGER,                       -- NULL: no row could be stored at all
  reason TEXT NOT NULL,
  path TEXT NOT NULL,
  raw BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  at INTEGER NOT NULL,
  UNIQUE (user_no, stream, fingerprint)
) STRICT;

-- ---- the stable way to read the data ----

CREATE VIEW amz_transactions AS
SELECT u.user_id, t.event_id, t.native_id AS transaction_id, y.name AS transaction_type, t.status, t.description,
       strftime('%Y-%m-%dT%H:%M:%S', t.posted_at / 1000000, 'unixepoch') || printf('.%03dZ', t.posted_at / 1000 % 1000) AS posted_at,
       t.order_id, t.marketplace AS marketplace_id, t.total_micros AS amount_micros, c.code AS currency, t.detail
FROM transactions t
LEFT JOIN users u ON u.user_no = t.user_no
LEFT JOIN event_types y ON y.type_id = t.type_id
LEFT JOIN currencies c ON c.currency_id = t.currency_id
WHERE t.continues IS NULL;

CREATE VIEW amz_transaction_lines AS
SELECT u.user_id, coalesce(t.continues, l.line_id >> 12) AS event_id, l.line_id AS line_id, s.list AS transaction_type, s.path, s.type AS line_type,
       s.kind, l.shape_id, l.micros AS amount_micros, c.code AS currency, k.sku
FROM transaction_lines l
LEFT JOIN shapes s ON s.shape_id = l.shape_id
LEFT JOIN currencies c ON c.currency_id = l.currency_id
LEFT JOIN skus k ON k.sku_id = l.sku_id
LEFT JOIN transactions t ON t.event_id = l.line_id >> 12
LEFT JOIN users u ON u.user_no = t.user_no;

CREATE VIEW amz_financial_events AS
SELECT u.user_id, t.event_id, y.name AS event_list,
       strftime('%Y-%m-%dT%H:%M:%S', t.posted_at / 1000000, 'unixepoch') || printf('.%03dZ', t.posted_at / 1000 % 1000) AS posted_at,
       t.order_id, t.marketplace AS marketplace_name, t.description AS event_type, t.total_micros AS amount_micros, c.code AS currency, t.detail
FROM financial_events t
LEFT JOIN users u ON u.user_no = t.user_no
LEFT JOIN event_types y ON y.type_id = t.type_id
LEFT JOIN currencies c ON c.currency_id = t.currency_id
WHERE t.continues IS NULL;

CREATE VIEW amz_financial_event_lines AS
SELECT u.user_id, coalesce(t.continues, l.line_id >> 12) AS event_id, l.line_id AS line_id, s.list AS event_list, s.path, s.type AS line_type,
       s.kind, l.shape_id, l.micros AS amount_micros, c.code AS currency, k.sku
FROM financial_event_lines l
LEFT JOIN shapes s ON s.shape_id = l.shape_id
LEFT JOIN currencies c ON c.currency_id = l.currency_id
LEFT JOIN skus k ON k.sku_id = l.sku_id
LEFT JOIN financial_events t ON t.event_id = l.line_id >> 12
LEFT JOIN users u ON u.user_no = t.user_no;

CREATE VIEW amz_inventory AS
SELECT u.user_id, i.marketplace_id, i.seller_sku, i.fnsku, i.asin, i.condition, i.product_name, i.total_quantity, i.fulfillable,
       i.inbound_working, i.inbound_shipped, i.inbound_receiving,
       i.reserved_total, i.reserved_customer_orders, i.reserved_transfers, i.reserved_processing,
       i.researching_total, i.researching_short_term, i.researching_mid_term, i.researching_long_term,
       i.unfulfillable_total, i.customer_damaged, i.warehouse_damaged, i.distributor_damaged, i.carrier_damaged, i.defective, i.expired,
       strftime('%Y-%m-%dT%H:%M:%S', i.last_updated_at / 1000000, 'unixepoch') || printf('.%03dZ', i.last_updated_at / 1000 % 1000) AS last_updated_at,
       strftime('%Y-%m-%dT%H:%M:%S', i.changed_at / 1000000, 'unixepoch') || printf('.%03dZ', i.changed_at / 1000 % 1000) AS changed_at
FROM inventory i
LEFT JOIN users u ON u.user_no = i.user_no
WHERE i.closed_at IS NULL;

CREATE VIEW amz_runs AS
SELECT u.user_id, r.sync_id, r.status, r.cause, r.progress, r.message,
       strftime('%Y-%m-%dT%H:%M:%S', r.created_at / 1000000, 'unixepoch') || printf('.%03dZ', r.created_at / 1000 % 1000) AS created_at,
       strftime('%Y-%m-%dT%H:%M:%S', r.started_at / 1000000, 'unixepoch') || printf('.%03dZ', r.started_at / 1000 % 1000) AS started_at,
       strftime('%Y-%m-%dT%H:%M:%S', r.completed_at / 1000000, 'unixepoch') || printf('.%03dZ', r.completed_at / 1000 % 1000) AS completed_at,
       r.orders AS orders_processed, r.inventory AS inventory_count, r.fees AS fees_count, r.claims AS claims_detected, r.calls, r.error
FROM runs r
LEFT JOIN users u ON u.user_no = r.user_no;

CREATE VIEW amz_coverage AS
SELECT u.user_id, c.stream, strftime('%Y-%m-%d', c.day * 86400, 'unixepoch') AS day, c.state, c.row_count,
       strftime('%Y-%m-%dT%H:%M:%S', c.read_until / 1000000, 'unixepoch') || printf('.%03dZ', c.read_until / 1000 % 1000) AS read_until,
       strftime('%Y-%m-%dT%H:%M:%S', c.read_at / 1000000, 'unixepoch') || printf('.%03dZ', c.read_at / 1000 % 1000) AS read_at
FROM cells c
LEFT JOIN users u ON u.user_no = c.user_no;

CREATE VIEW amz_quarantine AS
SELECT u.user_id, q.stream, strftime('%Y-%m-%d', q.day * 86400, 'unixepoch') AS day, q.event_id, q.reason, q.path, q.raw,
       strftime('%Y-%m-%dT%H:%M:%S', q.at / 1000000, 'unixepoch') || printf('.%03dZ', q.at / 1000 % 1000) AS at
FROM quarantine q
LEFT JOIN users u ON u.user_no = q.user_no;
