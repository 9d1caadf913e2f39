# Puts a backup back: bash restore.sh look FOLDER, or bash restore.sh apply FOLDER STAMP.
# FOLDER holds the members of an archive made by backup.sh, decrypted, unpacked and found whole by unpack.py; the caller
# holds the host's lock.
set -euo pipefail
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 077

fail() {
  echo "restore: $1" >&2
  exit 1
}

# The restore goes on when nobody hears it any more: half of it would be worse.
trap '' PIPE
say() { echo "$1" 2>/dev/null || true; }

# POSTGRES

# SERVER_NAME

# The databases of a pod: the owner of each has its name. Of an archive, `databases`.
ours=(valence synapse)

# How many MB are free for PostgreSQL.
room() { df --output=avail -B1M /var/lib/postgresql | tail -n 1 | tr -d ' '; }

# What the archive says of itself, once it is known to be whole, and what is on this host: two lines of JSON.
look() {
  cd "$1"
  [ ! -e "$way_back" ] || fail 'an earlier restore came to no end on this host'
  [ -s SHA256SUMS ] && [ -s manifest.json ] || fail 'the archive is not whole: it ends before its list of contents'
  ls database.* >/dev/null 2>&1 || fail 'the archive holds no database'
  # A database is larger than its dump: with less room than that it is not even tried.
  free=$(room)
  needs=$(du -cm database.* $(ls synapse.* 2>/dev/null || true) | tail -n 1 | cut -f 1)
  [ "$free" -gt "$needs" ] || fail "No space left on device for the database: $free MB are free, and its dump alone has $needs"
  server=$(server_name) || exit 1
  cat manifest.json
  rows=0
  for name in "${ours[@]}"; do
    there=$(count "$name") || fail 'PostgreSQL does not answer'
    # By their size: whoever reads a table may run what its owner made of it.
    [ "$there" = 0 ] || rows=$((rows + $(superuser "$name" <<<"select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and pg_relation_size(c.oid) > 0")))
  done
  files=$(for path in /etc/matrix-synapse/*.signing.key /var/lib/matrix-synapse/media; do [ ! -e "$path" ] || echo "$path"; done | wc -l)
  superuser postgres -v name="$server" <<<"select json_build_object('server_name', nullif(:'name', ''), 'tables', $rows, 'files', $files,
'postgresql', current_setting('server_version_num')::int / 10000,
'roles', (select json_agg(rolname order by rolname) from pg_roles where rolname !~ '^pg_'));"
}

# Everything is made ready beside what is there; then names are exchanged, and given back when anything fails.
apply() {
  folder=$1 stamp=$2
  trap 'give_up' EXIT
  cd "$folder"
  # Where an archive has one database, Synapse is in it.
  databases=(valence)
  ! ls synapse.* >/dev/null 2>&1 || databases+=(synapse)
  stop_services
  restore_databases
  ready_files
  write_way_back
  exchange
  trap - EXIT
  rm -f "$way_back"
  close_kept
  unstage
  start_services
}

# There from before the first name is exchanged until all are: also for one who finds the host after a kill.
way_back=/var/lib/infra/undo-restore.sh

give_up() {
  trap - EXIT
  set +e
  local untouched='what was there is untouched'
  # PostgreSQL may have ended of it without a word to us.
  [ "$(room)" -ge 16 ] || echo 'restore: No space left on device' >&2
  # Where the disk is full PostgreSQL may have stopped: with this room it comes back, and can give names back.
  unstage
  rm -rf "${folder:?}"/* "$way_back.new" ${contents:+"$contents"}
  if [ ! -e "$way_back" ]; then
    comes_back || echo 'restore: PostgreSQL does not answer' >&2
    start_services
  elif ! bash "$way_back"; then
    # The services would write into data that do not belong together.
    exit 1
  fi
  if drop_restoring; then
    untouched='nothing was changed'
  else
    untouched+='; half restored databases (valence_restoring, synapse_restoring) may be left, the next restore drops them'
  fi
  echo "restore: $untouched" >&2
  exit 1
}

drop_restoring() {
  local name
  for name in "${ours[@]}"; do
    superuser postgres <<<"drop database if exists ${name}_restoring with (force)" || return 1
  done
}

# What gives everything back, by what it finds: it may be run at any time, and again.
write_way_back() {
  local path name there
  for name in "${ours[@]}"; do
    there=$(count "$name") || fail 'PostgreSQL does not answer'
    [ "$there" = 0 ] || had+=("$name")
  done
  {
    echo "# Gives back what was there before the restore of $stamp (UTC), which came to no end."
    declare -p stamp had databases services way_back paths stages
    declare -f superuser say count comes_back rename new_names old_names exchanged names_back there give_name file_back unstage start_services
    echo 'systemctl stop matrix-synapse vkb 2>/dev/null'
    for path in ${paths[@]+"${paths[@]}"}; do
      if there "$path"; then echo "file_back ${path@Q} || failed=yes"; else echo "rm -rf ${path@Q} || failed=yes"; fi
    done
    cat <<'END'
comes_back || echo 'restore: PostgreSQL does not answer' >&2
names_back || { echo 'restore: not given back: the names of the databases' >&2; failed=yes; }
[ -z "${failed:-}" ] || exit 1
unstage
rm -f "$way_back"
start_services
END
  } >"$way_back.new"
  sync "$way_back.new"
  mv -fT "$way_back.new" "$way_back"
}

# Waits until PostgreSQL answers, up to a minute.
comes_back() {
  local end=$((SECONDS + 60)) start=$((SECONDS + 10))
  until superuser postgres <<<'' 2>/dev/null; do
    [ "$SECONDS" -lt "$end" ] || return 1
    # One that ended for good is not started by itself.
    if [ "$SECONDS" -ge "$start" ]; then
      systemctl start 'postgresql@*' --all
      start=$end
    fi
    sleep 0.5
  done
}

services=() had=()
stop_services() {
  local unit
  for unit in matrix-synapse vkb; do
    # One that fails and is started again and again is activating.
    case $(systemctl is-active "$unit") in active | activating | reloading) services+=("$unit") ;; esac
  done
  [ "${#services[@]}" = 0 ] || { say "stopping ${services[*]}"; systemctl stop "${services[@]}"; }
}
start_services() {
  [ "${#services[@]}" = 0 ] || { say "starting ${services[*]}"; systemctl start "${services[@]}" || say "FAILED ${services[*]}"; }
}

# UNPACK

# INCLUDE restore-database.sh

# INCLUDE restore-files.sh

exchange() {
  local path name left
  say 'exchanging'
  for path in ${paths[@]+"${paths[@]}"}; do
    exchange_file "$path"
  done
  # Whoever is connected is sent away; one that comes right back loses against the next attempt.
  for _ in 1 2 3 4 5; do
    if rename "$(new_names)"; then break; fi
    sleep 1
  done
  # What is said of it may be lost: what is there counts.
  comes_back || fail 'PostgreSQL does not answer'
  left=$(count valence_restoring) || fail 'PostgreSQL does not answer'
  [ "$left" = 0 ] || fail 'the databases cannot be exchanged'
  for name in ${had[@]+"${had[@]}"}; do say "KEPT database ${name}_before_restore_$stamp"; done
  for path in ${paths[@]+"${paths[@]}"}; do ! there "$path.before-restore-$stamp" || say "KEPT $path.before-restore-$stamp"; done
}

# What was there holds what the restore took away, such as tokens and passwords: for the superuser alone.
close_kept() {
  local name kept
  for name in ${had[@]+"${had[@]}"}; do
    kept=${name}_before_restore_$stamp
    superuser postgres <<<"alter database $kept owner to postgres; revoke all on database $kept from public" ||
      echo "restore: database $kept still belongs to role $name" >&2
  done
}

# Whether there is a database of this name: 0 or 1.
count() { superuser postgres <<<"select count(*) from pg_database where datname = '$1'"; }

# Sends away whoever is connected, and gives databases other names: all or none.
rename() {
  superuser postgres <<<"select pg_terminate_backend(pid) from pg_stat_activity where datname ~ '^(valence|synapse)(_restoring)?$' \\g /dev/null
begin; $1 commit;"
}

# One that the archive does not have makes room too: what it holds is in another of the archive, and the next deploy moves it.
new_names() {
  local name
  for name in ${had[@]+"${had[@]}"}; do echo -n "alter database $name rename to ${name}_before_restore_$stamp; "; done
  for name in "${databases[@]}"; do echo -n "alter database ${name}_restoring rename to $name; "; done
}

old_names() {
  local name
  for name in "${databases[@]}"; do echo -n "alter database $name rename to ${name}_restoring; "; done
  for name in ${had[@]+"${had[@]}"}; do echo -n "alter database ${name}_before_restore_$stamp rename to $name; "; done
}

# Whether the databases have the names of after the exchange, which all get at once: 0 or 1.
exchanged() { if [ "${#had[@]}" = 0 ]; then count valence; else count "${had[0]}_before_restore_$stamp"; fi; }

# Gives the databases their names back, where they were exchanged; fails where nobody can say that they have them.
names_back() {
  local said=''
  for _ in 1 2 3 4 5; do
    [ "$(exchanged 2>/dev/null)" != 0 ] || return 0
    said=$(rename "$(old_names)" 2>&1) || sleep 1
  done
  [ "$(exchanged)" = 0 ] || { echo "$said" >&2; return 1; }
}

"$@"
