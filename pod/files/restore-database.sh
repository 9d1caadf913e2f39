# Part of restore.sh: the database of a backup, made ready beside the one that is there.

# A field of the manifest: text as it is, everything else as JSON. What an archive says never becomes a part of SQL.
field() {
  python3 -I -c 'import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."):
    value = value[name]
print(value if isinstance(value, str) else json.dumps(value))' "$folder/manifest.json" "$1"
}

restore_database() {
  local role roles encoding collate ctype rows counted
  say 'restoring the database'
  # Each is asked by itself: within another command nobody would see that it failed.
  roles=$(field roles)
  encoding=$(field database.encoding)
  collate=$(field database.collate)
  ctype=$(field database.ctype)
  rows=$(field rows)
  roles=$(superuser postgres -v roles="$roles" <<<"select r from json_array_elements_text(:'roles'::json) r
where not exists (select from pg_roles where rolname = r)")
  while IFS= read -r role; do
    [ -n "$role" ] || continue
    say "ROLE $role"
    superuser postgres -v role="$role" <<<'create role :"role" nologin'
  done <<<"$roles"
  superuser postgres <<<'drop database if exists valence_restoring with (force)'
  # It is the owner's when nothing is left to be done in it by the superuser.
  superuser postgres -v encoding="$encoding" -v collate="$collate" -v ctype="$ctype" <<<"create database valence_restoring
template template0 encoding :'encoding' lc_collate :'collate' lc_ctype :'ctype'"
  list_contents
  make_extensions
  superuser postgres <<<'alter database valence_restoring owner to valence'
  # As the owner, to whom all of it belongs: an archive holds code. No further than the first error, and all in one
  # transaction.
  as_role valence pg_restore --no-owner --single-transaction --exit-on-error --use-list="$contents" \
    -d valence_restoring < <(cat database.*)
  rm -f "$contents"
  counted=$(role_sql valence valence_restoring -v rows="$rows" <<<"select name from json_each_text(:'rows'::json) as desired(name, n)
where n <> (xpath('/row/n/text()', query_to_xml('select count(*) as n from only ' || name, false, true, '')))[1]::text")
  [ -z "$counted" ] || fail "the restored tables have other numbers of rows than the saved ones: $counted"
  # Of tables that are not the owner's it warns.
  role_sql valence valence_restoring <<<'set client_min_messages = error; analyze'
}

# What the dump holds and the owner can restore: extensions are made before, and event triggers and the default
# privileges of others take a superuser.
list_contents() {
  local all
  all=$(as_role valence pg_restore --list < <(cat database.*))
  # The owner reads it, and root writes it.
  contents=$(mktemp /run/valence-restore.XXXXXX)
  chmod 0644 "$contents"
  { grep -vE "^$entry((COMMENT - )?(EXTENSION|EVENT TRIGGER)|DEFAULT ACL) " <<<"$all" || true
    grep -E "^${entry}DEFAULT ACL .* valence$" <<<"$all" || true; } >"$contents"
  extensions=$(sed -nE "s/^${entry}EXTENSION - (.*[^ ]) *$/\1/p" <<<"$all")
  sed -nE "s/^${entry}EVENT TRIGGER - (.*) [^ ]+$/LEFT event trigger \1/p" <<<"$all" | while IFS= read -r line; do say "$line"; done
}
entry='[0-9]+; [0-9]+ [0-9]+ ' contents='' extensions=''

# By the superuser, before anything of the archive is there: those that the owner could make, and what is in use here.
make_extensions() {
  local name known verdict place
  known=$(count valence)
  [ "$known" = 0 ] || known=$(superuser valence <<<'select extname from pg_extension')
  while IFS= read -r name; do
    [ -n "$name" ] || continue
    read -r verdict place < <(superuser postgres -v name="$name" <<<"select case when count(*) = 0 then 'absent'
when bool_or(trusted or not superuser) then 'free' else 'closed' end,
case when min(schema) is null then 'schema public' end from pg_available_extension_versions where name = :'name'" | tr '|' ' ')
    [ "$verdict" != absent ] || fail "the backup needs the extension $name, whose package is not installed"
    [ "$verdict" = free ] || grep -qxF -- "$name" <<<"$known"$'\nvector\nuuid-ossp' ||
      fail "the backup needs the extension $name, which takes a superuser: make it in the database valence first, if you trust it"
    superuser valence_restoring -v name="$name" <<<"create extension if not exists :\"name\" $place"
  done <<<"$extensions"
}
