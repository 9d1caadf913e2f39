# Unpacks archives without any right. $unpacker is the text of unpack.py.

# The number of an account that nobody has: no name, no process.
free_account() {
  local number
  for number in {60800..60899}; do
    ! getent passwd "$number" >/dev/null || continue
    [ -n "$(find /proc -maxdepth 1 -user "$number" -print -quit 2>/dev/null)" ] || { echo "$number"; return; }
  done
  echo 'archive: the host has no free account number' >&2
  return 1
}

# unpack FOLDER WORD...: as such an account, for as long as it runs the owner of FOLDER. After it FOLDER is root's again,
# and nothing of that account runs any more.
unpack() {
  local folder=$1 account code=0
  shift
  account=$(free_account) || return
  chown "$account:$account" "$folder"
  (cd -P "$folder" && exec setpriv --reuid="$account" --regid="$account" --clear-groups --no-new-privs \
    --inh-caps=-all --bounding-set=-all python3 -I -c "$unpacker" "$@") || code=$?
  pkill -KILL -U "$account" || true
  chown root:root "$folder" && chmod 0700 "$folder"
  return "$code"
}
