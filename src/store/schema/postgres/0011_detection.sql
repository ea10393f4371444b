-- SPDX-License-Identifier: Apache-2.0
-- amzsync, PostgreSQL, version 11: what has matured since the last detection is not claimable before the next one has looked at it;
-- what Amazon expected of fees before it changed its mind.

DROP VIEW amz_findings;
CREATE VIEW amz_findings AS
SELECT u.user_id, f.finding_id, f.rule, f.variant, f.subject,
       CASE WHEN f.blocked<>'' THEN 'blocked'
            WHEN (extract(epoch FROM now()) * 1000000)::bigint < f.claimable_at
              OR (SELECT max(s.at) FROM rule_states s WHERE s.user_no = f.user_no) < f.claimable_at THEN 'not_mature'
            WHEN (extract(epoch FROM now()) * 1000000)::bigint >= f.expires_at THEN 'expired'
            WHEN f.confidence<70 OR f.review_only=1 THEN 'review'
            ELSE 'claim_ready' END AS readiness,
       f.state, f.case_id, f.quantity, f.amount_micros, f.low_micros, f.high_micros, f.currency, f.basis, f.confidence, f.blocked,
       amz_day(f.event_day) AS event_day,
       amz_day(f.claimable_from) AS claimable_from,
       amz_day(f.deadline) AS deadline,
       amz_day(f.deadline_safe) AS deadline_safe,
       f.fnsku, f.sku, f.asin, f.order_id, f.shipment_id, f.removal_order_id, f.period, f.policy, f.policy_version, f.policy_confirmed, f.rule_version,
       f.terms, f.evidence, f.netting,
       amz_time(f.opened_at) AS opened_at,
       amz_time(f.updated_at) AS updated_at
FROM findings f
LEFT JOIN users u ON u.user_no = f.user_no
WHERE f.closed_at IS NULL;

CREATE TABLE fee_preview_history (
  user_no bigint NOT NULL,
  row_id bigint NOT NULL,
  since_at bigint NOT NULL,
  until_at bigint NOT NULL,
  sku text COLLATE "C", fnsku text COLLATE "C", asin text COLLATE "C", currency text COLLATE "C",
  expected_fulfillment_fee_micros bigint, estimated_referral_fee_micros bigint, sales_price_micros bigint, your_price_micros bigint,
  product_size_tier text COLLATE "C",
  PRIMARY KEY (user_no, row_id, until_at)
);
CREATE INDEX fee_preview_history_by_age ON fee_preview_history(until_at);
