SELECT id, overlay(s PLACING 'XX' FROM 2 FOR 1), overlay(s PLACING '' FROM 1 FOR 3) FROM strings ORDER BY id;
SELECT id, regexp_match(s, '(\w)(\d)'), regexp_match(s, 'B', 'i') FROM strings ORDER BY id;
SELECT id, regexp_count(s, 'O', 1, 'i') FROM strings ORDER BY id;
SELECT id, regexp_substr(s, '[0-9]+', 1, 2) FROM strings ORDER BY id;
SELECT id, regexp_like(s, 'A', 'i') FROM strings ORDER BY id;
SELECT id, regexp_instr(s, 'o', 2), regexp_instr(s, 'a', 1, 2) FROM strings ORDER BY id;
SELECT substring(s similar '%#"b_r#"%' escape '#') FROM strings ORDER BY id;
SELECT substring('abcdefg' similar 'a#"%#"g' escape '#'), substring('abcdefg' from 'a#"(b_d)#"%' for '#');
