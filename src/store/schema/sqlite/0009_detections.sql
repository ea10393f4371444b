-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 9: what the last detection of a user concluded from.

CREATE TABLE detections (
  user_no INTEGER PRIMARY KEY,
  basis BLOB NOT NULL,                    -- hash over the number of the last change, the day, the rules, the policy, what was supplied and what was read
  at INTEGER NOT NULL
) STRICT;
