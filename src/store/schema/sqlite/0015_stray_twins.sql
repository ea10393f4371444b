-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 15: equal rows in quarantine that the report of their own day may still tell.
ALTER TABLE quarantine ADD COLUMN occurrence INTEGER NOT NULL DEFAULT 0;   -- how many equal ones its document showed before it
