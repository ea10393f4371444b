-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 17: what is looked for at every commit, and at every claim, is found without a look at all runs.
CREATE INDEX runs_parked ON runs(holder) WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND parked=1;
CREATE INDEX runs_patient ON runs(interactive, created_at) WHERE status IN ('queued', 'in_progress', 'detecting') AND holder=0 AND parked=0;
