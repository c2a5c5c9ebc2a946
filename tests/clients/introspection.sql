-- What dashboards ask of a database before they show anything, in the shapes of Grafana (its Postgres
-- data source) and Metabase (its Postgres driver, and JDBC's metadata below it). The line in front of a
-- query says whether it must have rows.

-- rows: which version
select current_setting('server_version_num')::int / 100 as version;

-- none: extensions of time series
select extversion from pg_extension where extname = 'timescaledb';

-- rows: schemas
select schema_name as "name" from information_schema.schemata
where schema_name not in ('information_schema', 'pg_catalog', 'pg_toast') order by schema_name;

-- rows: tables of a schema, quoted as identifiers
select quote_ident(table_name) as "table" from information_schema.tables
where quote_ident(table_schema) = 'public' order by 1;

-- rows: tables of the search path first
select case when quote_ident(table_schema) in (
    select case when trim(s[i]) = '"$user"' then user else trim(s[i]) end
    from generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
        array_upper(string_to_array(current_setting('search_path'), ','), 1)) as i,
      string_to_array(current_setting('search_path'), ',') s)
  then quote_ident(table_name) else quote_ident(table_schema) || '.' || quote_ident(table_name) end as "table"
from information_schema.tables
where quote_ident(table_schema) not in ('information_schema', 'pg_catalog') order by 1;

-- rows: columns of a table that may be written with its schema
select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns
where case when array_length(parse_ident('public.payments'), 1) = 2
  then quote_ident(table_schema) = (parse_ident('public.payments'))[1]
    and quote_ident(table_name) = (parse_ident('public.payments'))[2]
  else quote_ident(table_name) = 'public.payments' end;

-- rows: a panel over time
select date_trunc('day', booking_date) as "time", sum(amount) as value from payments
where booking_date between '2026-01-01' and '2026-12-31' group by 1 order by 1;

-- rows: a panel in steps of an hour
select floor(extract(epoch from value_date) / 3600) * 3600 as "time", count(*) from payments group by 1 order by 1;

-- rows: time zone
show timezone;

-- none: enumerations
select nspname, typname from pg_type t join pg_namespace n on n.oid = t.typnamespace
where t.oid in (select distinct enumtypid from pg_enum e);

-- rows: tables with what they say and about how many rows they have
select n.nspname as "schema", c.relname as "name",
  case c.relkind when 'r' then 'TABLE' when 'p' then 'PARTITIONED TABLE' when 'v' then 'VIEW'
    when 'f' then 'FOREIGN TABLE' when 'm' then 'MATERIALIZED VIEW' else null end as "type",
  d.description as "description", stat.n_live_tup as "estimated_row_count"
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
left join pg_catalog.pg_description as d
  on (c.oid = d.objoid) and (d.objsubid = 0) and (d.classoid = 'pg_class'::regclass)
left join pg_stat_user_tables as stat on (n.nspname = stat.schemaname) and (c.relname = stat.relname)
where (c.relnamespace = n.oid) and (n.nspname !~ '^pg_') and (n.nspname <> 'information_schema')
  and c.relkind in ('r', 'p', 'v', 'f', 'm') and (n.nspname in ('public'))
order by "type" asc, "schema" asc, "name" asc;

-- rows: columns with keys, comments and defaults
select c.column_name as "name",
  case when c.udt_schema in ('public', 'pg_catalog') then format('%s', c.udt_name)
    else format('"%s"."%s"', c.udt_schema, c.udt_name) end as "database-type",
  c.ordinal_position - 1 as "database-position", c.table_schema as "table-schema", c.table_name as "table-name",
  pk.column_name is not null as "pk?",
  col_description(cast(cast(format('%I.%I', cast(c.table_schema as text), cast(c.table_name as text)) as regclass) as oid),
    c.ordinal_position) as "field-comment",
  ((column_default is null) or (lower(column_default) = 'null')) and (is_nullable = 'NO')
    and not (((column_default is not null) and (column_default like '%nextval(%')) or (is_identity <> 'NO'))
    as "database-required",
  ((column_default is not null) and (column_default like '%nextval(%')) or (is_identity <> 'NO')
    as "database-is-auto-increment"
from information_schema.columns as c
left join (
  select tc.table_schema, tc.table_name, kc.column_name
  from information_schema.table_constraints as tc
  join information_schema.key_column_usage as kc on (tc.constraint_name = kc.constraint_name)
    and (tc.table_schema = kc.table_schema) and (tc.table_name = kc.table_name)
  where tc.constraint_type = 'PRIMARY KEY') as pk
  on (c.table_schema = pk.table_schema) and (c.table_name = pk.table_name) and (c.column_name = pk.column_name)
where c.table_schema !~ '^information_schema|catalog_history|pg_' and (c.table_schema in ('public'));

-- none: columns of materialized views
select pa.attname as "name",
  case when ptn.nspname in ('public', 'pg_catalog') then format('%s', pt.typname)
    else format('"%s"."%s"', ptn.nspname, pt.typname) end as "database-type",
  pa.attnum - 1 as "database-position", pn.nspname as "table-schema", pc.relname as "table-name"
from pg_catalog.pg_class as pc
join pg_catalog.pg_namespace as pn on pn.oid = pc.relnamespace
join pg_catalog.pg_attribute as pa on pa.attrelid = pc.oid
join pg_catalog.pg_type as pt on pt.oid = pa.atttypid
join pg_catalog.pg_namespace as ptn on ptn.oid = pt.typnamespace
where pc.relkind = 'm' and pa.attnum >= 1 and pn.nspname = 'public';

-- none: foreign keys
select fk_ns.nspname as "fk-table-schema", fk_table.relname as "fk-table-name", fk_column.attname as "fk-column-name",
  pk_ns.nspname as "pk-table-schema", pk_table.relname as "pk-table-name", pk_column.attname as "pk-column-name"
from pg_constraint as c
join pg_class as fk_table on c.conrelid = fk_table.oid
join pg_namespace as fk_ns on c.connamespace = fk_ns.oid
join pg_attribute as fk_column on c.conrelid = fk_column.attrelid
join pg_class as pk_table on c.confrelid = pk_table.oid
join pg_namespace as pk_ns on pk_table.relnamespace = pk_ns.oid
join pg_attribute as pk_column on c.confrelid = pk_column.attrelid
where fk_ns.nspname !~ '^information_schema|catalog_history|pg_' and c.contype = 'f'::char
  and fk_column.attnum = any(c.conkey) and pk_column.attnum = any(c.confkey)
order by fk_ns.nspname, fk_table.relname;

-- rows: what the user may do with each table
with table_privileges as (
  select null as role, t.schemaname as schema, t.objectname as table,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'update') as update,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'select') as select,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'insert') as insert,
    pg_catalog.has_table_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'delete') as delete
  from (
    select schemaname, tablename as objectname from pg_catalog.pg_tables
    union
    select schemaname, viewname as objectname from pg_catalog.pg_views
    union
    select schemaname, matviewname as objectname from pg_catalog.pg_matviews
  ) t
  where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema'
    and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')
)
select t.* from table_privileges t
where t.select or t.update or t.insert or t.delete;
