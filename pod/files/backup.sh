#!/bin/bash
# Writes an encrypted backup of this pod to stdout: bash backup.sh DOMAIN RECIPIENT...
#
# Nothing of it lies on a disk in plain: all is one stream of small tar archives, a piece of 32 MB at a time in memory,
# through age. What it holds: database.* (a dump of Valence's database by pg_dump, custom format), synapse.* (of Synapse's,
# where it has one of its own), config.* and media.* (tar archives, paths from /), manifest.json, and last SHA256SUMS of
# all of them, without which it is not whole.
# stderr tells `PART NAME` at the beginning of each part and `SUM SHA256` of the encrypted whole at the end.
set -euo pipefail
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 077

# POSTGRES

# SERVER_NAME

main() {
  domain=$1
  shift
  recipients=()
  for recipient in "$@"; do recipients+=(-r "$recipient"); done
  command -v age >/dev/null || fail 'age is not installed on the host'
  # Where there is a Synapse, its own name counts: it is in every address of the database.
  server=$(server_name) || exit 1
  # On a tmpfs.
  work=$(mktemp -d /run/valence-backup.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  mkfifo encrypted
  sha256sum <encrypted >whole &
  local summing=$!
  produce | age "${recipients[@]}" | tee encrypted
  wait "$summing"
  echo "SUM $(cut -d ' ' -f 1 whole)" >&2
}

fail() {
  echo "backup: $1" >&2
  exit 1
}

produce() {
  databases=(valence)
  # Without the account there is no Synapse yet.
  if id -u matrix-synapse >/dev/null 2>&1 &&
    [ "$(superuser postgres <<<"select count(*) from pg_database where datname = 'synapse'")" != 0 ]; then databases+=(synapse); fi
  for database in "${databases[@]}"; do
    open_snapshot
    if [ "$database" = valence ]; then part database dump; else part "$database" dump; fi
    about_database
    close_snapshot
  done
  part config config
  part media media
  manifest >manifest.json
  member manifest.json
  tar -cf - SHA256SUMS
}

# The dump and the counts are of one moment: a session that keeps its snapshot open for both. As the owner of the
# database: whoever reads a table may run what its owner made of it.
open_snapshot() {
  # The owner of each has its name.
  coproc KEEPER { role_sql "$database" "$database"; }
  keeper=$KEEPER_PID
  exec 8<&"${KEEPER[0]}" 9>&"${KEEPER[1]}"
  snapshot=$(ask 'begin isolation level repeatable read read only; select pg_export_snapshot();')
}

close_snapshot() {
  local in=${KEEPER[1]}
  exec 8<&- 9>&- {in}>&-
  wait "$keeper"
}

# One statement to that session, and the line that it answers.
ask() {
  printf '%s\n' "$1" >&9
  read -r answer <&8 || fail "the database $database does not answer"
  printf '%s\n' "$answer"
}

dump() {
  as_role "$database" pg_dump --format=custom --lock-wait-timeout=600000 --snapshot="$snapshot" --dbname="$database"
}

# Each folder is read by the account whose it is: a link that an account puts there leads nowhere where it may not go by
# itself, and only root's own links are followed to what they lead to. `config` is one archive, of what three accounts read.
config() {
  {
    tar_as root '--dereference --blocking-factor=1' etc/matrix-synapse/homeserver.yaml etc/matrix-synapse/conf.d \
      'etc/matrix-synapse/*.signing.key' | head -c -1024
    tar_as matrix-synapse --blocking-factor=1 'var/lib/matrix-synapse/*.signing.key' | head -c -1024
    tar_as valence --blocking-factor=1 opt/valence/config | head -c -1024
  }
  # The end that was taken off each.
  head -c 1024 /dev/zero
}
media() { tar_as matrix-synapse '' var/lib/matrix-synapse/media var/lib/matrix-synapse/media_store; }

# tar_as ACCOUNT OPTIONS PATH...: what is there of these paths (from /; in one that ends in a name, `*` as in a shell, for
# files alone), read by that account.
tar_as() {
  local account=$1 program=(bash --norc -c "$packing" bash)
  shift
  id -u "$account" >/dev/null 2>&1 || return 0
  [ "$account" = root ] || program=(runuser -u "$account" -- "${program[@]}")
  (cd / && "${program[@]}" "$@")
}

# Their content, also where a folder is a link, as to media on a volume: `/.` leads through it. 1: a file changed while it
# was read, as an upload may.
packing='set -euo pipefail
options=$1 there=() above=()
shift
for pattern in "$@"; do
  for path in $pattern; do
    [ -e "$path" ] || continue
    [ "$path" = "$pattern" ] || [ -f "$path" ] || continue
    above+=("${path%/*}/.")
    [ ! -d "$path" ] || path=$path/.
    there+=("$path")
  done
done
[ "${#there[@]}" -gt 0 ] || exit 0
tar --create --file=- --sparse --hard-dereference --warning=no-file-changed $options \
  --no-recursion "${above[@]}" --recursion "${there[@]}" || [ $? = 1 ]'

# What a command prints, as tar members NAME.000000, NAME.000001 …
part() {
  echo "PART $1" >&2
  local name=$1
  shift
  export -f member
  "$@" | SHELL=/bin/bash split --bytes=32M --numeric-suffixes --suffix-length=6 \
    --filter='set -e; cat >"$FILE"; member "$FILE"' - "$name."
}

member() {
  sha256sum "$1" >>SHA256SUMS
  stat -c '%s %n' "$1" >>sizes
  tar -cf - "$1"
  [ "$1" = manifest.json ] || rm "$1"
}

manifest() {
  local synapse commit os
  touch SHA256SUMS sizes
  synapse=$(curl -s -m 5 http://127.0.0.1:8008/_matrix/federation/v1/version | sed 's/.*"version": *"\([^"]*\)".*/\1/' || true)
  commit=$(cd / && timeout 20 runuser -u valence -- git -C /opt/valence/repo rev-parse HEAD 2>/dev/null || true)
  os=$(. /etc/os-release && echo "$PRETTY_NAME")
  superuser postgres >about <<'END'
select jsonb_build_object('postgresql', current_setting('server_version_num')::int / 10000,
'made', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
'roles', (select jsonb_agg(rolname order by rolname) from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres'));
END
  python3 -I -c "$compose" "${server:-$domain}" "$os" "$synapse" "$commit"
}

# Of the dump's moment: of what kind the database is, and how many rows its tables have.
about_database() {
  superuser postgres -v database="$database" >"$database.kind" <<'END'
select jsonb_build_object('owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding),
  'collate', datcollate, 'ctype', datctype) from pg_database where datname = :'database';
END
  ask "select coalesce(json_object_agg(t.name, (xpath('/row/n/text()',
  query_to_xml('select count(*) as n from only ' || t.name, false, true, '')))[1]::text::bigint), '{}')
  from (select pg_catalog.format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1) t;" >"$database.rows"
}

# The answers are data, whatever they hold: a table may have any name.
compose='import json, os.path, sys
name, system, synapse, commit = sys.argv[1:]
about = json.load(open("about"))
def database(name):
    rows = json.load(open(name + ".rows"))
    return {"database": json.load(open(name + ".kind")), "rows": {table: int(n) for table, n in rows.items()}}
# An archive of two databases must not be taken by a version that puts back one.
two = os.path.exists("synapse.kind")
sizes = dict(reversed(line.split()) for line in open("sizes"))
sums = [line.split() for line in open("SHA256SUMS")]
print(json.dumps({
    "format": 2 if two else 1, "server_name": name, "made": about["made"],
    "versions": {"os": system, "postgresql": about["postgresql"], "synapse": synapse or None, "valence": commit or None},
    **database("valence"), "roles": about["roles"], **({"synapse": database("synapse")} if two else {}),
    "parts": [{"name": part, "sha256": sum, "bytes": int(sizes[part])} for sum, part in sums],
}))'

# Sent over a connection (by `bash --norc -s`): what is left to read on it is its end, and that is ours as well. All in one
# command, which the shell has read to its end before any of it runs: nothing of it may be left to the one who reads on.
{
  if [ -n "${TETHER:-}" ]; then
    exec 3<&0
    { cat <&3; kill -TERM 0; } >/dev/null 2>&1 &
  fi
  main "$@" </dev/null
  exit
}
