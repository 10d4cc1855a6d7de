#!/usr/bin/env bash
# Remakes cache/ and image.json from closure.nix with real Nix, in a store of its own in a temporary directory.
# Needs Nix 2.4 or newer (zstd), gcc, and `npm ci` for the formatting. Texts are compressed with zstd, the rest with xz, so that both occur.
# The same compiler gives the same store paths and the same bytes; another one may give other contents of hello-program.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT

export NIX_CONF_DIR=$work
cat > "$work/nix.conf" <<CONF
build-users-group =
substituters =
experimental-features = nix-command
sandbox-paths = /bin /lib /lib64 /usr
CONF

build() { nix-build --store "$work/store" --no-out-link closure.nix -A "$1"; }
copy_compressed() { xargs -r nix --store "$work/store" copy --to "file://$PWD/cache?compression=$1"; }

rm -rf cache
build greetings | copy_compressed zstd
build hello | copy_compressed xz
nix --store "$work/store" eval --raw --file closure.nix manual | copy_compressed zstd
find cache -type d -empty -delete

nix --store "$work/store" eval --json --file closure.nix image | npx prettier --parser json > "$work/image.json"
cp "$work/image.json" image.json
