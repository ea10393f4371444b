-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 7: runs that end while nobody performs them.

ALTER TABLE run_streams ADD COLUMN ended_at INTEGER;                           -- when it was last read to its end, or given up
ALTER TABLE connections ADD COLUMN secret_told BLOB;                           -- the client secret whose end the user was last warned of,
ALTER TABLE connections ADD COLUMN secret_told_days INTEGER;                   -- and how many days it had left
CREATE INDEX runs_cancelling ON runs(holder) WHERE status IN ('queued', 'in_progress', 'detecting') AND cancel_requested_at IS NOT NULL;
