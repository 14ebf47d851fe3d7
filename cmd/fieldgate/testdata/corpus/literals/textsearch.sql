select to_tsvector('The quick brown foxes jumped over 3 lazy dogs'), to_tsvector('simple', 'The quick brown foxes');
select to_tsvector('english', x) from (values ('sensor-42 failed at 10.5V'), (null), (''), ('see http://example.com/a/b?c=1 or mail ops@example.org'), ('/var/log/sys.log 1.2.3 -4e5 &amp; <b>bold</b>'), ('Über-große Motoren é')) v(x);
select ''::tsvector, 'a:1A,2 b ''c d'':3'::tsvector, tsvector 'x y x';
select 'a:0'::tsvector;
select 'a & (b | !c) <-> d:AB*'::tsquery, tsquery '!!a', 'a <2> b'::tsquery, ''::tsquery;
select 'a b'::tsquery;
select '('::tsquery;
select to_tsquery('the & foxes'), to_tsquery('simple', 'Foxes:* | !dogs'), plainto_tsquery('The Fat Rats'), phraseto_tsquery('fat or the rats'), websearch_to_tsquery('"fat rat" or cat -dog');
select to_tsquery('english', 'a <17000> b');
select to_tsvector('fat cats ate rats') @@ to_tsquery('cat & rat'), to_tsquery('cat & !dog') @@ to_tsvector('fat cats'), 'fat cats' @@ 'cat', 'fat cats' @@ to_tsquery('dog');
select x, to_tsvector('simple', x) @@ phraseto_tsquery('simple', 'pump failed') from (values ('pump failed'), ('pump not failed'), ('failed pump'), (null)) v(x) order by 1;
select x from (values ('valve stuck'), ('valves closed'), ('motor hot')) v(x) where to_tsvector(x) @@ websearch_to_tsquery('valve -closed');
select 'a:1 b:2'::tsvector || 'a:1 c:2B'::tsvector, length('a b c'::tsvector), strip('a:1,2 b:3'::tsvector), setweight('a:1 b:2C'::tsvector, 'B');
select 'a'::tsquery && 'b | c', 'a'::tsquery || 'b & c', !! 'a & b'::tsquery, 'a'::tsquery <-> 'b', tsquery_phrase('a', 'b & c', 3), numnode('a & !b'), querytree('a & !b'), querytree('!a');
select tsvector_to_array('b:2 a:1'), array_to_tsvector(array['x','y','x']);
select array_to_tsvector(array['x',null]);
select 'a:1'::tsvector = 'a:1'::tsvector, 'a & b'::tsquery <> 'b & a'::tsquery, 'a:1'::tsvector = 'a:2'::tsvector;
select v, count(*) from (values ('a b'::tsvector), ('b a'), ('c')) t(v) group by v;
select json_to_tsvector('{"a": "Fat Cats", "b": 12, "c": [true, {"d": "rats"}]}', '["string", "numeric"]'), jsonb_to_tsvector('simple', '{"bb": "x", "a": "y"}', '"all"');
select json_to_tsvector('simple', '{"a": 1}', '"some"');
select to_tsvector('{"a": "Fat Cats", "b": {"c": "ate"}}'::jsonb), to_tsvector('simple', '["x y", "z"]'::json);
select 'english'::regconfig, 'pg_catalog.simple'::regconfig::text, get_current_ts_config(), 'english_stem'::regdictionary;
select 'klingon'::regconfig;
-- refused: the text search configuration german is not supported
select to_tsvector('german', 'Die Pumpen');
-- refused: function ts_headline(regconfig, text, tsquery) is not supported
select ts_headline('fat cats', 'cat'::tsquery);
select ts_rank('a:1', 'a'::tsquery);
-- refused: operator tsvector < tsvector is not supported
select 'a'::tsvector < 'b'::tsvector;
-- refused: ordering values of type tsvector is not supported
select v from (values ('a'::tsvector), ('b')) t(v) order by v;
select to_tsvector(x), pg_typeof(to_tsquery(x)) from (values ('1'), ('zwei')) v(x);
select cfgname from pg_ts_config where oid = 'english'::regconfig;
