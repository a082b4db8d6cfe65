-- A million rows: insert, index, join, aggregate, update, delete, check.
PRAGMA journal_mode = WAL;
CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
INSERT INTO t SELECT i, (i * 7919) % 1000, 'row ' || (i % 1777) FROM n;
COMMIT;
CREATE INDEX t_a ON t (a);
SELECT count(*), sum(a), min(b), max(b) FROM t;
SELECT a, count(*) FROM t WHERE a < 5 GROUP BY a ORDER BY a;
UPDATE t SET a = a + 1 WHERE id % 10 = 0;
DELETE FROM t WHERE a = 500;
SELECT count(*), sum(a) FROM t;
PRAGMA wal_checkpoint(TRUNCATE);
PRAGMA integrity_check;
VACUUM;
SELECT count(*) FROM t JOIN (SELECT DISTINCT b FROM t WHERE id < 100) u ON t.b = u.b;
