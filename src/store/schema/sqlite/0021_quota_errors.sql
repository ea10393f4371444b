-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 21: quota errors of a plan, so that every process knows when Amazon may shut out for them.
ALTER TABLE buckets ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;     -- on end, by Amazon
ALTER TABLE buckets ADD COLUMN refused_at INTEGER NOT NULL DEFAULT 0;   -- when the last of them came
