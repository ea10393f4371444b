-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 16: keys led by the user are PostgreSQL's, here rows are kept by their numbers in one file; when an engine was last there.

ALTER TABLE engines ADD COLUMN seen_at INTEGER;   -- when it last tidied up
