-- SPDX-License-Identifier: Apache-2.0
-- amzsync, SQLite, version 18: which refresh tokens lie with the host, under which names. A name is written down before the token goes there, so that none is forgotten there.
CREATE TABLE kept_tokens (
  user_no INTEGER NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,         -- 'sent' (its connection is not stored yet), 'held', 'dropped' (the host is still to forget it)
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_no, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_tokens_left ON kept_tokens(created_at) WHERE state<>'held';
