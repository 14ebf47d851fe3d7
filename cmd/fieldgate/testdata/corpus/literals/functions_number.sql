SELECT width_bucket(1, 0, 0, 5);
SELECT width_bucket(1.0, 0, 5, 0);
SELECT cosd('Infinity');
SELECT array_fill(0, ARRAY[2], ARRAY[5]);
SELECT array_fill(1, ARRAY[2, 2]);
