-- SPDX-License-Identifier: Apache-2.0
-- amzsync, PostgreSQL, version 13: of which days a report may have rows that other reports tell of; NULL: it is not known.
ALTER TABLE report_jobs ADD COLUMN rows_from bigint;
ALTER TABLE report_jobs ADD COLUMN rows_until bigint;
ALTER TABLE archive ADD COLUMN rows_from bigint;
ALTER TABLE archive ADD COLUMN rows_until bigint;
