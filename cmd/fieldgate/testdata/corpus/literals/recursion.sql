select greatest(interval '1 mon', '31 days'), least(interval '1 mon', '29 days'), greatest(interval '30 days', '1 mon');
select jsonb_build_object(1);
