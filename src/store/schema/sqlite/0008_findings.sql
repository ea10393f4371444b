-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 8: what Amazon owes.

-- One row per finding, for good: one that is found no more is closed, and keeps what the host wrote of it. Whether it can be claimed today follows
-- from the dates when it is read.
CREATE TABLE findings (
  user_no INTEGER NOT NULL,
  finding_id TEXT NOT NULL,
  rule TEXT NOT NULL,
  rule_version INTEGER NOT NULL,
  variant TEXT NOT NULL,
  subject TEXT NOT NULL,
  policy TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  policy_confirmed INTEGER NOT NULL,
  event_day INTEGER NOT NULL,
  claimable_from INTEGER NOT NULL,
  deadline INTEGER NOT NULL,
  deadline_safe INTEGER NOT NULL,
  claimable_at INTEGER NOT NULL,          -- the instants at which those local days begin and end
  expires_at INTEGER NOT NULL,
  quantity INTEGER NOT NULL,
  amount_micros INTEGER,                  -- NULL: Amazon prices it
  low_micros INTEGER,
  high_micros INTEGER,
  currency TEXT,
  basis TEXT NOT NULL,
  confidence INTEGER NOT NULL,
  review_only INTEGER NOT NULL,
  blocked TEXT NOT NULL,                  -- why nothing can be concluded yet; '' = it can
  fnsku TEXT NOT NULL,
  sku TEXT NOT NULL,
  asin TEXT NOT NULL,
  order_id TEXT NOT NULL,
  shipment_id TEXT NOT NULL,
  removal_order_id TEXT NOT NULL,
  period TEXT NOT NULL,
  terms TEXT NOT NULL,                    -- JSON
  evidence TEXT NOT NULL,                 -- JSON
  netting TEXT NOT NULL,                  -- JSON
  content BLOB NOT NULL,                  -- of all of the above
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'filed', 'won', 'lost')),
  case_id TEXT NOT NULL DEFAULT '',
  state_at INTEGER,
  opened_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  closed_at INTEGER,                      -- found no more since then
  run_no INTEGER NOT NULL,
  PRIMARY KEY (user_no, finding_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX findings_open ON findings(user_no, deadline) WHERE closed_at IS NULL;

-- How each rule stood at the last detection.
CREATE TABLE rule_states (
  user_no INTEGER NOT NULL,
  rule TEXT NOT NULL,
  blocked TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (user_no, rule)
) STRICT, WITHOUT ROWID;

-- What only the host knows: costs, sizes, deliveries, what came back.
CREATE TABLE supplied (
  supplied_no INTEGER PRIMARY KEY,
  user_no INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  data TEXT NOT NULL,                     -- JSON
  at INTEGER NOT NULL,
  UNIQUE (user_no, kind, key)
) STRICT;

CREATE VIEW amz_findings AS
SELECT u.user_id, f.finding_id, f.rule, f.variant, f.subject,
       CASE WHEN f.blocked<>'' THEN 'blocked'
            WHEN unixepoch('now') * 1000000 < f.claimable_at THEN 'not_mature'
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
