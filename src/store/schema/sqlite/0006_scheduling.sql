-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 6: turns, pauses, notifications, countdowns.

-- Who has syncing paused; user_no 0 is everybody.
CREATE TABLE pauses (
  user_no INTEGER PRIMARY KEY NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL
) STRICT;

ALTER TABLE runs ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;        -- 1: its user is paused; nobody takes it up
ALTER TABLE runs ADD COLUMN served INTEGER NOT NULL DEFAULT 0;        -- calls to Amazon in the turns that it had; who had fewer goes first
ALTER TABLE runs ADD COLUMN work_when_claimed INTEGER NOT NULL DEFAULT -1;  -- what it had got done then; -1: its last worker let go of it in order
ALTER TABLE runs ADD COLUMN idle_claims INTEGER NOT NULL DEFAULT 0;   -- how often on end its worker was lost before it got anything done
ALTER TABLE runs ADD COLUMN idle_since INTEGER;                       -- when that began
DROP INDEX runs_active;
CREATE INDEX runs_waiting ON runs(interactive DESC, served, run_no) WHERE status IN ('queued', 'in_progress', 'detecting') AND holder=0 AND parked=0;
CREATE INDEX runs_held ON runs(lease_until) WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0;

ALTER TABLE connections ADD COLUMN failed_syncs INTEGER NOT NULL DEFAULT 0;    -- on end; how far apart the next tries are
ALTER TABLE connections ADD COLUMN notified_at INTEGER;                        -- when a notification last started a sync
ALTER TABLE connections ADD COLUMN notified_due_at INTEGER;                    -- when those that came since will; NULL: none did
ALTER TABLE connections ADD COLUMN notified_asked TEXT NOT NULL DEFAULT '';    -- streams that they are about
CREATE INDEX connections_by_notification ON connections(notified_due_at) WHERE notified_due_at IS NOT NULL;
ALTER TABLE connections ADD COLUMN expiry_told INTEGER;                        -- days left when the end of the authorisation was last told
ALTER TABLE connections ADD COLUMN refresh_holder INTEGER NOT NULL DEFAULT 0;  -- engine that is asking for a new access token
ALTER TABLE connections ADD COLUMN refresh_until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX connections_by_seller ON connections(region, seller_id) WHERE seller_id<>'';

-- Amazon's notifications come at least once; those seen are remembered for a while.
CREATE TABLE notifications (
  notification_id TEXT PRIMARY KEY NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_by_age ON notifications(at);

-- Client secrets of the application by their fingerprint: Amazon ends one 180 days after it was made, and tells nobody when that was.
CREATE TABLE app_secrets (
  app_id TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  first_used_at INTEGER NOT NULL,
  expiry_told INTEGER,
  PRIMARY KEY (app_id, fingerprint)
) STRICT, WITHOUT ROWID;
