select array_fill(1, array[1,1,1,1,1,1,1]);
select array_fill(1, array[-1]);
