-- SPDX-License-Identifier: Apache-2.0
-- amzsync, PostgreSQL, version 16: the keys of all that is a user's are led by the user, so that the tables can be split by user among servers. What all users share stays
-- by its own key: runs and the journal, which are looked through across users; connections, consents, the plans of usage; the dictionaries.
-- Copies and indexes are made first, which keep no reader out; what does is done at the end, and at once. Whoever writes waits from the start: what he wrote beside a copy would be lost.

LOCK TABLE transactions, transaction_lines, financial_events, financial_event_lines, archive, archive_pieces IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE transaction_lines_16 (user_no bigint NOT NULL, line_id bigint NOT NULL, shape_id bigint NOT NULL, currency_id bigint, micros bigint, sku_id bigint);
INSERT INTO transaction_lines_16 SELECT t.user_no, l.line_id, l.shape_id, l.currency_id, l.micros, l.sku_id FROM transaction_lines l JOIN transactions t ON t.event_id = l.line_id >> 12;
ALTER TABLE transaction_lines_16 ADD PRIMARY KEY (user_no, line_id);

CREATE TABLE financial_event_lines_16 (user_no bigint NOT NULL, line_id bigint NOT NULL, shape_id bigint NOT NULL, currency_id bigint, micros bigint, sku_id bigint);
INSERT INTO financial_event_lines_16 SELECT t.user_no, l.line_id, l.shape_id, l.currency_id, l.micros, l.sku_id FROM financial_event_lines l JOIN financial_events t ON t.event_id = l.line_id >> 12;
ALTER TABLE financial_event_lines_16 ADD PRIMARY KEY (user_no, line_id);

CREATE TABLE archive_pieces_16 (user_no bigint NOT NULL, piece_id bigint NOT NULL, bytes bytea NOT NULL);
INSERT INTO archive_pieces_16 SELECT a.user_no, p.piece_id, p.bytes FROM archive_pieces p JOIN archive a ON a.archive_no = p.piece_id >> 20;
ALTER TABLE archive_pieces_16 ADD PRIMARY KEY (user_no, piece_id);

CREATE UNIQUE INDEX transactions_key ON transactions(user_no, event_id);
CREATE UNIQUE INDEX financial_events_key ON financial_events(user_no, event_id);
CREATE UNIQUE INDEX inventory_key ON inventory(user_no, inventory_id);
CREATE UNIQUE INDEX quarantine_key ON quarantine(user_no, quarantine_id);
CREATE UNIQUE INDEX report_jobs_key ON report_jobs(user_no, job_no);
CREATE UNIQUE INDEX archive_key ON archive(user_no, archive_no);
CREATE UNIQUE INDEX skus_key ON skus(user_no, sku_id);
CREATE UNIQUE INDEX supplied_key ON supplied(user_no, supplied_no);
CREATE UNIQUE INDEX reimbursements_key ON reimbursements(user_no, row_id);
CREATE UNIQUE INDEX ledger_key ON ledger(user_no, row_id);
CREATE UNIQUE INDEX ledger_summary_key ON ledger_summary(user_no, row_id);
CREATE UNIQUE INDEX returns_key ON returns(user_no, row_id);
CREATE UNIQUE INDEX fee_preview_key ON fee_preview(user_no, row_id);
CREATE UNIQUE INDEX storage_fees_key ON storage_fees(user_no, row_id);
CREATE UNIQUE INDEX removals_key ON removals(user_no, row_id);
CREATE UNIQUE INDEX settlements_key ON settlements(user_no, row_id);
CREATE UNIQUE INDEX inbound_shipments_key ON inbound_shipments(user_no, row_id);
CREATE UNIQUE INDEX inbound_items_key ON inbound_items(user_no, row_id);
CREATE UNIQUE INDEX managed_inventory_key ON managed_inventory(user_no, row_id);

ALTER TABLE transactions DROP CONSTRAINT transactions_pkey, ADD CONSTRAINT transactions_pkey PRIMARY KEY USING INDEX transactions_key;
ALTER TABLE financial_events DROP CONSTRAINT financial_events_pkey, ADD CONSTRAINT financial_events_pkey PRIMARY KEY USING INDEX financial_events_key;
ALTER TABLE inventory DROP CONSTRAINT inventory_pkey, ADD CONSTRAINT inventory_pkey PRIMARY KEY USING INDEX inventory_key;
ALTER TABLE quarantine DROP CONSTRAINT quarantine_pkey, ADD CONSTRAINT quarantine_pkey PRIMARY KEY USING INDEX quarantine_key;
ALTER TABLE report_jobs DROP CONSTRAINT report_jobs_pkey, ADD CONSTRAINT report_jobs_pkey PRIMARY KEY USING INDEX report_jobs_key;
ALTER TABLE archive DROP CONSTRAINT archive_pkey, ADD CONSTRAINT archive_pkey PRIMARY KEY USING INDEX archive_key;
ALTER TABLE skus DROP CONSTRAINT skus_pkey, ADD CONSTRAINT skus_pkey PRIMARY KEY USING INDEX skus_key;
ALTER TABLE supplied DROP CONSTRAINT supplied_pkey, ADD CONSTRAINT supplied_pkey PRIMARY KEY USING INDEX supplied_key;
ALTER TABLE reimbursements DROP CONSTRAINT reimbursements_pkey, ADD CONSTRAINT reimbursements_pkey PRIMARY KEY USING INDEX reimbursements_key;
ALTER TABLE ledger DROP CONSTRAINT ledger_pkey, ADD CONSTRAINT ledger_pkey PRIMARY KEY USING INDEX ledger_key;
ALTER TABLE ledger_summary DROP CONSTRAINT ledger_summary_pkey, ADD CONSTRAINT ledger_summary_pkey PRIMARY KEY USING INDEX ledger_summary_key;
ALTER TABLE returns DROP CONSTRAINT returns_pkey, ADD CONSTRAINT returns_pkey PRIMARY KEY USING INDEX returns_key;
ALTER TABLE fee_preview DROP CONSTRAINT fee_preview_pkey, ADD CONSTRAINT fee_preview_pkey PRIMARY KEY USING INDEX fee_preview_key;
ALTER TABLE storage_fees DROP CONSTRAINT storage_fees_pkey, ADD CONSTRAINT storage_fees_pkey PRIMARY KEY USING INDEX storage_fees_key;
ALTER TABLE removals DROP CONSTRAINT removals_pkey, ADD CONSTRAINT removals_pkey PRIMARY KEY USING INDEX removals_key;
ALTER TABLE settlements DROP CONSTRAINT settlements_pkey, ADD CONSTRAINT settlements_pkey PRIMARY KEY USING INDEX settlements_key;
ALTER TABLE inbound_shipments DROP CONSTRAINT inbound_shipments_pkey, ADD CONSTRAINT inbound_shipments_pkey PRIMARY KEY USING INDEX inbound_shipments_key;
ALTER TABLE inbound_items DROP CONSTRAINT inbound_items_pkey, ADD CONSTRAINT inbound_items_pkey PRIMARY KEY USING INDEX inbound_items_key;
ALTER TABLE managed_inventory DROP CONSTRAINT managed_inventory_pkey, ADD CONSTRAINT managed_inventory_pkey PRIMARY KEY USING INDEX managed_inventory_key;

DROP VIEW amz_transaction_lines;
DROP VIEW amz_financial_event_lines;
DROP TABLE transaction_lines;
DROP TABLE financial_event_lines;
DROP TABLE archive_pieces;
ALTER TABLE transaction_lines_16 RENAME TO transaction_lines;
ALTER INDEX transaction_lines_16_pkey RENAME TO transaction_lines_pkey;
ALTER TABLE financial_event_lines_16 RENAME TO financial_event_lines;
ALTER INDEX financial_event_lines_16_pkey RENAME TO financial_event_lines_pkey;
ALTER TABLE archive_pieces_16 RENAME TO archive_pieces;
ALTER INDEX archive_pieces_16_pkey RENAME TO archive_pieces_pkey;

CREATE VIEW amz_transaction_lines AS
SELECT u.user_id, coalesce(t.continues, l.line_id >> 12) AS event_id, l.line_id AS line_id, s.list AS transaction_type, s.path, s.type AS line_type,
       s.kind, l.shape_id, l.micros AS amount_micros, c.code AS currency, k.sku
FROM transaction_lines l
LEFT JOIN shapes s ON s.shape_id = l.shape_id
LEFT JOIN currencies c ON c.currency_id = l.currency_id
LEFT JOIN skus k ON k.user_no = l.user_no AND k.sku_id = l.sku_id
LEFT JOIN transactions t ON t.user_no = l.user_no AND t.event_id = l.line_id >> 12
LEFT JOIN users u ON u.user_no = l.user_no;

CREATE VIEW amz_financial_event_lines AS
SELECT u.user_id, coalesce(t.continues, l.line_id >> 12) AS event_id, l.line_id AS line_id, s.list AS event_list, s.path, s.type AS line_type,
       s.kind, l.shape_id, l.micros AS amount_micros, c.code AS currency, k.sku
FROM financial_event_lines l
LEFT JOIN shapes s ON s.shape_id = l.shape_id
LEFT JOIN currencies c ON c.currency_id = l.currency_id
LEFT JOIN skus k ON k.user_no = l.user_no AND k.sku_id = l.sku_id
LEFT JOIN financial_events t ON t.user_no = l.user_no AND t.event_id = l.line_id >> 12
LEFT JOIN users u ON u.user_no = l.user_no;

CREATE OR REPLACE VIEW amz_inbound_statuses AS
SELECT u.user_id, s.shipment_id, r.status, amz_time(r.seen_at) AS seen_at
FROM inbound_statuses r
JOIN inbound_shipments s ON s.user_no = r.user_no AND s.row_id = r.shipment_row
LEFT JOIN users u ON u.user_no = r.user_no;

-- An older program would write amounts of nobody.
UPDATE meta SET value='16' WHERE key='min_writer';

ALTER TABLE engines ADD COLUMN seen_at bigint;   -- when it last tidied up
