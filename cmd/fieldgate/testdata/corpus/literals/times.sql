SELECT id, date_trunc('century', tz), date_trunc('millennium', tz) FROM moments ORDER BY id;
SELECT id, date_trunc('year', ts), date_trunc('quarter', ts), date_trunc('month', ts), date_trunc('week', ts), date_trunc('day', ts) FROM moments ORDER BY id;
SELECT id, date_trunc('hour', tz), date_trunc('minute', tz), date_trunc('second', tz), date_trunc('milliseconds', tz), date_trunc('microseconds', tz) FROM moments ORDER BY id;
SELECT date_trunc('century', timestamp '2000-12-31'), date_trunc('century', timestamp '2001-01-01'), date_trunc('millennium', timestamp '2000-06-01'), date_trunc('decade', timestamp '1999-01-01');
SELECT date_trunc('week', interval '1 day');
SELECT date_trunc('day', at), count(*) FROM readings GROUP BY 1 ORDER BY 1;
-- set: SET TimeZone = 'Europe/Berlin'
SELECT id, date_trunc('day', tz), date_trunc('week', d), date_trunc('century', tz) FROM moments ORDER BY id;
SELECT date 'infinity' + 1, date '-infinity' - 1;
SELECT date 'infinity' - date '2024-01-01';
SELECT date '5874897-12-31' + 1;
SELECT generate_series(date '2024-01-30', date '2024-02-02', '1 day');
SELECT id, extract(month FROM ts), extract(day FROM d), extract(hour FROM tz) FROM moments ORDER BY id;
SELECT id, extract(dow FROM ts), extract(week FROM d) FROM moments ORDER BY id;
SELECT '0044-03-15 BC'::date, '4713-01-01 BC'::date, '0001-12-31 BC'::date + 1, 'infinity'::timestamp, '-infinity'::timestamptz;
SELECT '4714-01-01 BC'::date;
SELECT '294277-01-01'::timestamp;
SELECT '5874898-01-01'::date;
SELECT 'infinity'::timestamp - '2024-01-01'::timestamp;
SELECT '2024-01-01 12:00'::timestamptz, '2024-01-01 12:00+02'::timestamptz, '2024-01-01 12:00 Europe/Berlin'::timestamptz, '2024-01-01 12:00 EST'::timestamptz;
SELECT '2024-07-01 12:00 America/New_York'::timestamptz, '2024-01-01T12:00:00Z'::timestamptz, '20240101T120000'::timestamptz, '2024-01-01 12:00:00.123456789+00'::timestamptz;
SELECT 'January 8, 1999'::timestamptz, '1/8/1999'::date, '1999-Jan-08'::date, '08-Jan-99'::date, '990108'::date, 'J2451187'::date, '1999.008'::date;
SELECT '2024-13-01'::date;
SELECT '2024-02-30'::date;
SELECT 'not a date'::timestamptz;
SELECT '2024-01-01 25:00'::timestamp;
SELECT '2024-01-01 12:00 Nowhere/Zone'::timestamptz;
SELECT '2024-01-01 12:00+25'::timestamptz;
SELECT ''::timestamp;
-- set: SET TimeZone = 'America/New_York'
SELECT '2024-01-01 12:00'::timestamptz, '2024-07-01 12:00'::timestamptz, '2024-03-10 02:30'::timestamptz, '2024-11-03 01:30'::timestamptz;
SELECT timestamp '2024-01-01 12:00' AT TIME ZONE 'Europe/Berlin', timestamptz '2024-01-01 12:00' AT TIME ZONE 'Asia/Kolkata';
SELECT '2024-03-31 02:30'::timestamptz, '2024-10-27 02:30'::timestamptz, '2024-10-27 02:30 CEST'::timestamptz, '2024-10-27 02:30+01'::timestamptz;
SELECT generate_series('2024-03-30 12:00'::timestamptz, '2024-04-01 12:00', '1 day'), 1;
SELECT g FROM generate_series('2024-10-26 12:00'::timestamptz, '2024-10-28', '12 hours') g;
-- set: SET TimeZone = 'FOO+3BAR'
SELECT tz, '2024-07-01 12:00'::timestamptz FROM moments WHERE id < 4 ORDER BY id;
SELECT interval '1 mon', interval '2 mons', interval '1 year 1 day', interval '-1 day +02:03', interval '1.5 days', interval '1.5 months', interval '0.5 year';
SELECT interval '1 day 2 hours ago', interval '1-2', interval '3 4:05:06', interval 'P1Y2M3DT4H5M6S', interval 'P0001-02-03T04:05:06', interval '1 week', interval '1 decade', interval '1c';
SELECT interval '1' year, interval '1-2' year to month, interval '3 04' day to hour, interval '3 04:05' day to minute, interval '04:05:06' hour to second, interval '5' second, interval '1.23456' second(2), interval '7' day;
SELECT interval '1 foo';
SELECT interval '1 day 1 day';
SELECT '1e3 days'::interval, '1000000 days'::interval;
-- set: RESET IntervalStyle
SELECT * FROM generate_series(timestamp '2024-01-30', '2024-02-02', '12 hours');
SELECT g FROM generate_series('2024-01-01'::timestamptz, '2024-01-02'::timestamptz, '6 hours'::interval) AS g;
SELECT generate_series('2024-03-01'::timestamp, '2024-02-28', '-1 day');
SELECT generate_series('2024-01-01'::timestamp, '2024-01-02', '0 days');
SELECT g FROM generate_series(NULL::timestamp, '2024-01-01', '1 day') g;
