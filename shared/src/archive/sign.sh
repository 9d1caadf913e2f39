# Signs archives on the host that makes them; the format is that of shared/src/archive/head.ts.

# Room for the head, before what is archived.
reserve_head() { head -c 1024 /dev/zero | tr '\0' ' '; }

# sign_archive FILE OF KEY: writes the head of FILE, signed by the private key in the file KEY. OF: `pod DOMAIN`.
sign_archive() {
  local file=$1 of=$2 key=$3 sum name
  sum=$(tail -c +1025 "$file" | sha256sum | cut -d ' ' -f 1)
  name=$(openssl pkey -in "$key" -pubout -outform DER | sha256sum | cut -c -16)
  printf 'infra-archive 1\nof: %s\nmade: %s\nbytes: %s\nsha256: %s\n' "$of" "$(date -u +%FT%TZ)" \
    "$(($(stat -c %s "$file") - 1024))" "$sum" >"$file.head"
  # ed25519 signs the whole at once: what is signed is this text, and it holds the checksum.
  printf 'seal: ed25519 %s %s\n' "$name" "$(openssl pkeyutl -sign -rawin -inkey "$key" -in "$file.head" | base64 -w 0)" >"$file.seal"
  [ "$(wc -c <"$file.seal")" = 120 ] || { echo 'the archive was not signed' >&2; return 1; }
  printf '%-1023s\n' "$(cat "$file.head" "$file.seal")"$'\n' | dd of="$file" conv=notrunc status=none bs=1024 iflag=fullblock
  rm "$file.head" "$file.seal"
}
