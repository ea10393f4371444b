-- SPDX-License-Identifier: Apache-2.0
-- amzsync, PostgreSQL, version 20: what tells a refresh token apart after it was forgotten, so that a connection without a seller's id is known again.
ALTER TABLE connections ADD COLUMN token_print text NOT NULL DEFAULT '';
