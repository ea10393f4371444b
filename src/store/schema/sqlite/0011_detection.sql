-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 11: what has matured since the last detection is not claimable before the next one has looked at it;
-- what Amazon expected of fees before it changed its mind.

DROP VIEW amz_findings;
CREATE VIEW amz_findings AS
SELECT u.user_id, f.finding_id, f.rule, f.variant, f.subject,
       CASE WHEN f.blocked<>'' THEN 'blocked'
            WHEN unixepoch('now') * 1000000 < f.claimable_at
              OR (SELECT max(s.at) FROM rule_states s WHERE s.user_no = f.user_no) < f.claimable_at THEN 'not_mature'
            WHEN unixepoch('now') * 1000000 >= f.expires_at THEN 'expired'
            WHEN f.confidence<70 OR f.review_only=1 THEN 'review'
            ELSE 'claim_ready' END AS readiness,
       f.state, f.case_id, f.quantity, f.amount_micros, f.low_micros, f.high_micros, f.currency, f.basis, f.confidence, f.blocked,
       strftime('%Y-%m-%d', f.event_day * 86400, 'unixepoch') AS event_day,
       strftime('%Y-%m-%d', f.claimable_from * 86400, 'unixepoch') AS claimable_from,
       strftime('%Y-%m-%d', f.deadline * 86400, 'unixepoch') AS deadline,
       strftime('%Y-%m-%d', f.deadline_safe * 86400, 'unixepoch') AS deadline_safe,
       f.fnsku, f.sku, f.asin, f.order_id, f.shipment_id, f.removal_order_id, f.period, f.policy, f.policy_version, f.policy_confirmed, f.rule_version,
       f.terms, f.evidence, f.netting,
       strftime('%Y-%m-%dT%H:%M:%S', f.opened_at / 1000000, 'unixepoch') || printf('.%03dZ', f.opened_at / 1000 % 1000) AS opened_at,
       strftime('%Y-%m-%dT%H:%M:%S', f.updated_at / 1000000, 'unixepoch') || printf('.%03dZ', f.updated_at / 1000 % 1000) AS updated_at
FROM findings f
LEFT JOIN users u ON u.user_no = f.user_no
WHERE f.closed_at IS NULL;

CREATE TABLE fee_preview_history (
  user_no INTEGER NOT NULL,
  row_id INTEGER NOT NULL,                -- of fee_preview, also where it went
  since_at INTEGER NOT NULL,              -- when it was told first, and last
  until_at INTEGER NOT NULL,
  sku TEXT, fnsku TEXT, asin TEXT, currency TEXT,
  expected_fulfillment_fee_micros INTEGER, estimated_referral_fee_micros INTEGER, sales_price_micros INTEGER, your_price_micros INTEGER,
  product_size_tier TEXT,
  PRIMARY KEY (user_no, row_id, until_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX fee_preview_history_by_age ON fee_preview_history(until_at);
