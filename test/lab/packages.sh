#!/usr/bin/env bash
# Installs what the lab needs from Debian, on bookworm. Costs a moment where all is there; needs root where something is not.
set -eu

packages=(
  qemu-system-x86 busybox-static openssh-server openssh-client # the guest
  gcc-12 gcc libc6-dev make pahole kmod                        # its module and its agent
  lz4 xz-utils zstd binutils                                   # taking kernels apart
  trace-cmd                                                    # reads what kdbg saves of a trace
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done

# The kernels are not installed, only downloaded later (kernel.ts): that takes package lists which know them.
known() { apt-cache policy "$1" | grep -q 'Candidate: [0-9]'; }

export DEBIAN_FRONTEND=noninteractive
if [ ${#missing[@]} -gt 0 ] || ! known linux-image-cloud-amd64 || ! known linux-image-6.12-cloud-amd64; then
  if [ "$(id -u)" != 0 ]; then
    echo "packages.sh: run me as root once, to install: ${missing[*]:-newer package lists}" >&2
    exit 1
  fi
  apt-get -q update
fi
if [ ${#missing[@]} -gt 0 ]; then
  # No service is to start because a package of it is here for its program.
  printf '#!/bin/sh\nexit 101\n' >/tmp/policy-rc.d.$$
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    install -m 755 /tmp/policy-rc.d.$$ /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  rm -f /tmp/policy-rc.d.$$
  apt-get -q install -y --no-install-recommends "${missing[@]}"
fi
