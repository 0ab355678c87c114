-- Write the labelled world in one call: a list of {table, columns, rows}.
create function pg_temp.write_world(world jsonb) returns void
  language plpgsql volatile security invoker
as $$
declare
  part jsonb;
  names text;
begin
  for part in select p from jsonb_array_elements(world) p loop
    select string_agg(quote_ident(c), ', ') into names from jsonb_array_elements_text(part -> 'columns') c;
    execute format(
      'insert into %1$s (%2$s) overriding system value select %2$s from jsonb_populate_recordset(null::%1$s, $1)',
      (part ->> 'table')::regclass, names)
      -- A platform may make a profile of its own for each new account.
      || case when part ->> 'table' = 'public.profiles' then ' on conflict do nothing' else '' end
    using part -> 'rows';
  end loop;
end;
$$
