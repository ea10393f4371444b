-- SPDX-License-Identifier: Apache-2.0
-- amzsync, PostgreSQL, version 19: which engine took a consent's code, so that no other one brings it to Amazon while that one lives.
ALTER TABLE consents ADD COLUMN engine_no bigint NOT NULL DEFAULT 0;
