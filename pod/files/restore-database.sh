# Part of restore.sh: the databases of a backup, each made ready beside the one that is there.

# A field of the manifest: text as it is, everything else as JSON. What an archive says never becomes a part of SQL.
field() {
  python3 -I -c 'import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."):
    value = value[name]
print(value if isinstance(value, str) else json.dumps(value))' "$folder/manifest.json" "$1"
}

restore_databases() {
  local database
  restore_roles
  say 'restoring the database'
  restore_database valence database ''
  for database in "${databases[@]}"; do
    [ "$database" = valence ] || { say "restoring the database $database"; restore_database "$database" "$database" "$database."; }
  done
}

restore_roles() {
  local role roles
  # Asked by itself: within another command nobody would see that it failed.
  roles=$(field roles)
  roles=$(superuser postgres -v roles="$roles" <<<"select r from json_array_elements_text(:'roles'::json) r
where not exists (select from pg_roles where rolname = r)")
  while IFS= read -r role; do
    [ -n "$role" ] || continue
    say "ROLE $role"
    superuser postgres -v role="$role" <<<'create role :"role" nologin'
  done <<<"$roles"
}

# restore_database NAME PART PREFIX: the database NAME, whose owner has its name, of the members PART.* of the archive; PREFIX
# is that of its fields in the manifest.
restore_database() {
  local name=$1 part=$2 encoding collate ctype rows counted
  encoding=$(field "$3database.encoding")
  collate=$(field "$3database.collate")
  ctype=$(field "$3database.ctype")
  rows=$(field "$3rows")
  superuser postgres <<<"drop database if exists ${name}_restoring with (force)"
  # It is the owner's when nothing is left to be done in it by the superuser.
  superuser postgres -v encoding="$encoding" -v collate="$collate" -v ctype="$ctype" <<<"create database ${name}_restoring
template template0 encoding :'encoding' lc_collate :'collate' lc_ctype :'ctype'"
  superuser postgres <<<"revoke connect, temporary on database ${name}_restoring from public"
  list_contents
  make_extensions
  superuser postgres <<<"alter database ${name}_restoring owner to $name"
  # As the owner, to whom all of it belongs: an archive holds code. No further than the first error, and all in one
  # transaction.
  as_role "$name" pg_restore --no-owner --single-transaction --exit-on-error --use-list="$contents" \
    -d "${name}_restoring" < <(cat "$part".*)
  rm -f "$contents"
  counted=$(role_sql "$name" "${name}_restoring" -v rows="$rows" <<<"select name from json_each_text(:'rows'::json) as desired(name, n)
where n <> (xpath('/row/n/text()', query_to_xml('select count(*) as n from only ' || name, false, true, '')))[1]::text")
  [ -z "$counted" ] || fail "the restored tables have other numbers of rows than the saved ones: $counted"
  # Of tables that are not the owner's it warns.
  role_sql "$name" "${name}_restoring" <<<'set client_min_messages = error; analyze'
}

# What the dump holds and the owner can restore: extensions are made before, and event triggers and the default
# privileges of others take a superuser.
list_contents() {
  local all
  all=$(as_role "$name" pg_restore --list < <(cat "$part".*))
  # The owner reads it, and root writes it.
  contents=$(mktemp /run/valence-restore.XXXXXX)
  chmod 0644 "$contents"
  { grep -vE "^$entry((COMMENT - )?(EXTENSION|EVENT TRIGGER)|DEFAULT ACL) " <<<"$all" || true
    grep -E "^${entry}DEFAULT ACL .* $name$" <<<"$all" || true; } >"$contents"
  extensions=$(sed -nE "s/^${entry}EXTENSION - (.*[^ ]) *$/\1/p" <<<"$all")
  sed -nE "s/^${entry}EVENT TRIGGER - (.*) [^ ]+$/LEFT event trigger \1/p" <<<"$all" | while IFS= read -r line; do say "$line"; done
}
entry='[0-9]+; [0-9]+ [0-9]+ ' contents='' extensions=''

# By the superuser, before anything of the archive is there: those that the owner could make, and what is in use here.
make_extensions() {
  local extension known verdict place
  known=$(count "$name")
  [ "$known" = 0 ] || known=$(superuser "$name" <<<'select extname from pg_extension')
  while IFS= read -r extension; do
    [ -n "$extension" ] || continue
    read -r verdict place < <(superuser postgres -v name="$extension" <<<"select case when count(*) = 0 then 'absent'
when bool_or(trusted or not superuser) then 'free' else 'closed' end,
case when min(schema) is null then 'schema public' end from pg_available_extension_versions where name = :'name'" | tr '|' ' ')
    [ "$verdict" != absent ] || fail "the backup needs the extension $extension, whose package is not installed"
    [ "$verdict" = free ] || grep -qxF -- "$extension" <<<"$known"$'\nvector\nuuid-ossp' ||
      fail "the backup needs the extension $extension, which takes a superuser: make it in the database $name first, if you trust it"
    superuser "${name}_restoring" -v name="$extension" <<<"create extension if not exists :\"name\" $place"
  done <<<"$extensions"
}
