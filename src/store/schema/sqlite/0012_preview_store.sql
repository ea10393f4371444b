-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 12: of which store a preview of fees was.
ALTER TABLE fee_preview_history ADD COLUMN amazon_store TEXT;
