-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 14: rows in quarantine that the report of their own day may still tell.
ALTER TABLE quarantine ADD COLUMN identity BLOB;   -- of such a row; NULL: any other
