-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 3.

-- Where the seller signed in; '' = never told.
ALTER TABLE connections ADD COLUMN marketplace TEXT NOT NULL DEFAULT '';
