SELECT '{int4,"timestamp with time zone",NULL}'::regtype[], '{}'::regtype[], '[2:3]={int4,text}'::regtype[], '{{int4},{text}}'::regtype[];
SELECT '{pg_class,pg_catalog.pg_type,0}'::regclass[], '{pg_catalog}'::regnamespace[], '{now,pi}'::regproc[];
SELECT '{nosuch,int4}'::regtype[];
SELECT '{int4,{a}}'::regtype[];
