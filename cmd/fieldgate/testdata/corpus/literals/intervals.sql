select percentile_cont(0.3) within group (order by gap desc) from readings where gap > '1 hour';
