-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 10: the end of a user.

-- When everything of a user's was ordered to be deleted; from then on the row bears a name that nobody knows, and it goes last.
ALTER TABLE users ADD COLUMN erased_at INTEGER;
CREATE INDEX users_erased ON users(user_no) WHERE erased_at IS NOT NULL;
-- A number that is free again must not lead anybody who still holds it to another user.
INSERT INTO counters SELECT 'user', coalesce(max(user_no), 0) + 1 FROM users;
