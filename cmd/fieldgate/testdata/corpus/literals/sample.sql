select count(*) from readings tablesample bernoulli (101);
select count(*) from readings tablesample bernoulli (-1);
select count(*) from readings tablesample bernoulli (null);
select count(*) from readings tablesample bernoulli (50) repeatable (null);
select count(*) from readings tablesample bernoulli (50, 3);
select count(*) from readings tablesample bernoulli ('x');
