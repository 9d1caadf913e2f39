# The part of restore.sh that moves files; it is sent before it. Root works here in folders that other accounts own, so it
# goes by no name that one of them could lead elsewhere meanwhile.

# Also a link that leads nowhere.
there() { [ -e "$1" ] || [ -L "$1" ]; }

# rename(2) and nothing besides: it follows no link, goes into no folder and never copies.
give_name() { perl -e 'rename $ARGV[0], $ARGV[1] or die "rename $ARGV[0] $ARGV[1]: $!\n"' "$1" "$2"; }

# Nothing is removed before there is something to take its place.
file_back() {
  local old=$1.before-restore-$stamp
  ! there "$old" || { rm -rf "$1" && give_name "$old" "$1"; } || {
    echo "restore: not given back: $1" >&2
    return 1
  }
}

# Who owns a folder may put a link in the place of anything in it, at any moment: nothing above it may be another
# account's, and what root makes ready in it lies in a folder of root's, which is entered before it is used.
stages=()
declare -A stage_of=()
stage() {
  local above=$1 up=$1 stage
  while [ "$up" != / ]; do
    up=$(dirname "$up")
    [ "$(stat -c %u "$up")" = 0 ] || fail "$up is not root's: what is below it cannot be exchanged safely"
  done
  rm -rf "$above"/.restoring.*
  stage=$(mktemp -d "$above/.restoring.XXXXXX")
  stages+=("$stage")
  stage_of[$above]=$stage
}
# Runs a command in a stage. Where somebody moved it away meanwhile, the working directory is somewhere else.
in_stage() {
  cd -P "$1" && [ "$(env pwd -P) $(stat -c %u:%a .)" = "$1 0:700" ] || fail "$1 was replaced while the restore ran"
  shift
  "$@"
}
unstage() { [ "${#stages[@]}" = 0 ] || rm -rf "${stages[@]}"; }

# unpacked PART OWNED=USER,USER UNIT=USER...: unpacks a part into a folder of its own, without privilege, and gives what is
# in it to its owners; what of it is not made is told.
unpacked() {
  local part=$1 files=$folder/files.$1 rules=("${@:2}") piece
  ls "$part".* >/dev/null 2>&1 || return 0
  say "restoring $part"
  mkdir "$files"
  # Each piece goes as it is read: media are as large as the disk allows.
  for piece in "$part".*; do cat "$piece" && rm -f "$piece"; done |
    unpack "$files" part "${rules[0]%%=*}" "${rules[@]%%=*}" >"$files.said" || fail "the archive's $part was not unpacked"
  sed -n 's/^{"left": "\(.*\)"}$/UNMADE \/\1/p' "$files.said" |
    awk 'NR <= 20; END { if (NR > 20) print "UNMADE " NR - 20 " more" }' | while IFS= read -r line; do say "$line"; done
  python3 -I -c "$unpacker" settle "$files" "$files.said" "${rules[@]}" || fail "the archive's $part got no owners"
}

# The part's own file or folder, and no link to another, here or above it. Says whether there is one.
holds() {
  local files=files.$1
  [ -e "$files/$2" ] || [ -L "$files/$2" ] || return 1
  [ "$(realpath -m "$files/$2")" = "$(env pwd -P)/$files/$2" ] || fail "the archive holds a link in the place of /$2, and not what it led to"
}

paths=()
# Where what a path gets was made ready.
declare -A source_of=()
take() {
  if holds "$1" "$2"; then
    paths+=("/$2")
    source_of[/$2]=$folder/files.$1
  fi
}

ready_files() {
  local path above source
  unpacked config etc/matrix-synapse=root,matrix-synapse var/lib/matrix-synapse=matrix-synapse opt/valence/config=valence
  unpacked media var/lib/matrix-synapse=matrix-synapse
  # The units that are exchanged: what backup.sh names.
  for path in etc/matrix-synapse/homeserver.yaml etc/matrix-synapse/conf.d opt/valence/config; do take config "$path"; done
  for path in var/lib/matrix-synapse/media var/lib/matrix-synapse/media_store; do take media "$path"; done
  for path in files.config/etc/matrix-synapse/*.signing.key files.config/var/lib/matrix-synapse/*.signing.key; do
    take config "${path#files.config/}"
  done
  for path in ${paths[@]+"${paths[@]}"}; do
    above=${path%/*}
    source=${source_of[$path]}
    if [ ! -d "$above" ]; then
      install -d -m 0755 "$above"
      # Of what is Valence's, that folder is root's all the same.
      [ "$above" = /opt/valence ] || { chown --no-dereference --reference="$source$above" "$above"; chmod --reference="$source$above" "$above"; }
    fi
    above=$(realpath "$above")
    [ -n "${stage_of[$above]:-}" ] || stage "$above"
    # It may come from another file system: the exchange is one of names.
    (in_stage "${stage_of[$above]}" mv -T "$source$path" "${path##*/}")
  done
}

# What is there gets another name, and what was made ready its name. On a file system of layers a folder of a lower one
# cannot be renamed: it is moved by way of the stage, where root alone writes.
exchange_file() {
  local stage=${stage_of[$(realpath "${1%/*}")]} name=${1##*/}
  if there "$1" && ! give_name "$1" "$1.before-restore-$stamp" 2>/dev/null; then
    (in_stage "$stage" mv -T "$1" "$name.before")
    (in_stage "$stage" give_name "$name.before" "$1.before-restore-$stamp")
  fi
  (in_stage "$stage" give_name "$name" "$1")
}
