-- SPDX-License-Identifier: Apache-2.0
-- amzsync, PostgreSQL, version 19: whose a consent's code is to bring to Amazon, and since when, so that two engines never bring one.
ALTER TABLE consents ADD COLUMN engine_no bigint NOT NULL DEFAULT 0;   -- 0 = anybody's
ALTER TABLE consents ADD COLUMN claimed_at bigint NOT NULL DEFAULT 0;
