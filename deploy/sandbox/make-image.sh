#!/bin/sh
# Makes the sandbox's default image from Debian packages, equal to what `Dockerfile` makes, where no registry can be
# reached. Safe to repeat: an image that this recipe has made already is left as it is.
#
#   make-image.sh [NAME]          default NAME: mergewright-sandbox:latest
#
#   DEBIAN_MIRROR   where the packages come from; default http://deb.debian.org/debian
#   DEBIAN_SUITE    default bookworm
#
# Needs a Docker engine and mmdebstrap or debootstrap; debootstrap is fetched for the occasion where apt-get is there.
# Progress goes to standard error; standard output gets the image's id.
set -eu

name=${1:-mergewright-sandbox:latest}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=${DEBIAN_SUITE:-bookworm}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
packages=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/packages.txt" | tr '\n' ',' | tr -d '[:space:]' | sed 's/,$//')

say() { echo "make-image: $*" >&2; }
fail() { say "$*"; exit 1; }

case ${1:-} in
  -*) fail "usage: make-image.sh [NAME]" ;;
esac
command -v docker >/dev/null || fail "The docker command is missing. Install Docker (Debian: docker.io)."
docker version >/dev/null 2>&1 || fail "No Docker engine answers ($(docker version 2>&1 | tail -n 1)). Start it, or set DOCKER_HOST."

# The recipe is this script, the list of packages, and where they come from.
recipe=$({ cat "$here/make-image.sh" "$here/packages.txt"; echo "$suite"; } | cksum | tr ' ' '-')
if [ "$(docker image inspect --format '{{index .Config.Labels "mergewright.recipe"}}' "$name" 2>/dev/null || true)" = "$recipe" ]; then
  say "$name is already there."
  docker image inspect --format '{{.Id}}' "$name"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The user that commands run as. Nothing of the image belongs to it.
user='groupadd --gid 10001 sandbox && useradd --uid 10001 --gid 10001 --home-dir /workspace/home --no-create-home --shell /bin/bash sandbox && mkdir -p /workspace'

with_mmdebstrap() {
  say "Making $name from Debian $suite with mmdebstrap; this takes a minute or two."
  mmdebstrap --variant=minbase --include="$packages" \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook="chroot \"\$1\" sh -c '$user'" \
    "$suite" "$work/root.tar" "$mirror" >&2
}

with_debootstrap() {
  [ "$(id -u)" = 0 ] || fail "debootstrap must run as root. Install mmdebstrap, or run this script as root."
  if command -v debootstrap >/dev/null; then
    run=debootstrap
  else
    say "Fetching debootstrap for this run (nothing is installed)."
    (cd "$work" && apt-get download debootstrap >&2 && dpkg-deb -x debootstrap_*.deb tools) ||
      fail "Neither mmdebstrap nor debootstrap is here, and debootstrap cannot be fetched. Install one: apt-get install mmdebstrap"
    export DEBOOTSTRAP_DIR="$work/tools/usr/share/debootstrap"
    run="$work/tools/usr/sbin/debootstrap"
  fi
  say "Making $name from Debian $suite with debootstrap; this takes a few minutes."
  # Only the base: debootstrap cannot choose between alternatives, so apt installs the rest.
  "$run" --variant=minbase "$suite" "$work/root" "$mirror" >&2
  chroot "$work/root" sh -c "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(echo "$packages" | tr , ' ') && apt-get clean && rm -rf /var/lib/apt/lists/* /usr/share/man/* && $user" >&2
  tar -C "$work/root" --numeric-owner --exclude=./dev/* --exclude=./proc/* --exclude=./sys/* -cf "$work/root.tar" .
}

if command -v mmdebstrap >/dev/null; then with_mmdebstrap; else with_debootstrap; fi

say "Importing $name."
docker import \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'ENV LANG=C.UTF-8' \
  --change 'USER 10001:10001' \
  --change 'WORKDIR /workspace' \
  --change 'CMD ["bash"]' \
  --change "LABEL mergewright.recipe=$recipe" \
  "$work/root.tar" "$name"
say "Done: $name"
