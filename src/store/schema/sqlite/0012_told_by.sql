-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 12: of which store a preview of fees was; days that are empty by a word of Amazon's and by no document.
ALTER TABLE fee_preview_history ADD COLUMN amazon_store TEXT;
ALTER TABLE cells ADD COLUMN by_word INTEGER NOT NULL DEFAULT 0;   -- 1: a report of the day was CANCELLED, which may mean that there is nothing, and none was made since
UPDATE cells SET by_word=1 WHERE state='assumed';
