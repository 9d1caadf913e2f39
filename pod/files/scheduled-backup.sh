#!/bin/bash
# Makes a backup for valence-backup.timer: valence-backup KEEP DOMAIN KEYFILE RECIPIENT...
# Signs it by KEYFILE, and keeps the newest KEEP archives. Waits up to an hour for a deployment that is under way, and
# keeps others waiting.
set -euo pipefail
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 077

# SIGN

keep=$1 domain=$2 key=$3
folder=/var/backups/valence
name=$domain-$(date -u +%FT%H%M%SZ).tar.age

# The lock of the host lasts as long as its program can read from us.
coproc LOCK { exec sh /usr/local/lib/valence/lock.sh; }
trap 'rm -f "$folder"/.draft-*' EXIT
until [ "${said:-}" = TAKEN ]; do
  read -r said <&"${LOCK[0]}" || said=TIMEOUT
  [ "$said" != TIMEOUT ] || { echo 'the lock of another run was held for an hour: no backup was made' >&2; exit 1; }
done
exec 7>&"${LOCK[1]}"
while sleep 20 7>&-; do echo >&7; done &
beat=$!
# Waits until the lock is given back: systemd ends what is left when we are gone, and that in the middle of it.
release() {
  rm -f "$folder"/.draft-*
  kill "$beat" 2>/dev/null || true
  exec 7>&-
  # Unset where it has ended already.
  [ -n "${LOCK_PID:-}" ] || return 0
  local program=$LOCK_PID in=${LOCK[1]}
  exec {in}>&-
  wait "$program" || true
}
trap release EXIT

[ -s "$key" ] || { echo "the key that signs backups, $key, is gone: npm run deploy -w pod -- --tags backup" >&2; exit 1; }
{ reserve_head && bash /usr/local/lib/valence/backup.sh "$domain" "${@:4}"; } >"$folder/.draft-$$"
[ "$(tail -c +1025 "$folder/.draft-$$" | head -n 1 | tr -d '\0')" = age-encryption.org/v1 ]
sign_archive "$folder/.draft-$$" "pod $domain" "$key"
sync -f "$folder/.draft-$$"
mv "$folder/.draft-$$" "$folder/$name"
find "$folder" -maxdepth 1 -name "$domain-*.tar.age" | sort | head -n "-$keep" | xargs -r rm --
