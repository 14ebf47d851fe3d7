-- with: year
SELECT date_trunc($1, ordered), count(*) FROM orders GROUP BY 1 ORDER BY 1;
-- with: 7
SELECT jsonb_build_object('a', $1::int);
-- with: x
SELECT $1;
-- with: 5
SELECT $1::int, $1;
-- with: true
SELECT 1 WHERE $1;
