-- SPDX-License-Identifier: Apache-2.0
-- amzsync, PostgreSQL, version 21: quota errors of a plan, so that every process knows when Amazon may shut out for them.
ALTER TABLE buckets ADD COLUMN refusals bigint NOT NULL DEFAULT 0;     -- on end, by Amazon
ALTER TABLE buckets ADD COLUMN refused_at bigint NOT NULL DEFAULT 0;   -- when the last of them came
