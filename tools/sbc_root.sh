#!/usr/bin/env bash
# Unpack what stands in for a single-board computer, from Debian's packages, without installing it.
# usage: tools/sbc_root.sh python ARCH DIR   a Python with numpy of that architecture (arm64, armhf)
#        tools/sbc_root.sh qemu DIR          a qemu-user that bears the runtimes; Debian 12's does not
# MIRROR is the address of a Debian archive, that of this machine's apt if it is not said. Needs apt
# and Debian's keys, but no rights of root.
set -euo pipefail
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

die() { printf 'sbc-root: error: %s\nsbc-root: hint: %s\n' "$1" "$2" >&2; exit 4; }

# fetch SUITE ARCH DIR PACKAGE...: unpack packages and what they depend on. apt is given folders of
# its own, so that it knows nothing of this machine.
fetch() {
    local suite=$1 arch=$2 out=$3 deb
    shift 3
    state=$(mktemp -d)
    trap 'rm -rf "$state"' EXIT
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    : > "$state/status"
    printf 'deb [signed-by=%s] %s %s main\n' "$KEYS" "$MIRROR" "$suite" > "$state/sources.list"
    local options=(
        -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Debug::NoLocking=1
        -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status"
        -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives"
        -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o APT::Sandbox::User="$(id -un)"
    )
    apt-get "${options[@]}" update
    apt-get "${options[@]}" install --yes --no-install-recommends --download-only "$@"
    for deb in "$state"/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$out" --exclude=./usr/share/doc \
            --exclude=./usr/share/man --exclude=./usr/share/locale
    done
}

# Of the first archive that this machine's apt takes Debian's own packages from.
debian_archive() {
    apt-get indextargets --format '$(SITE) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
        awk '$2 == "Debian" && $3 == "main" && !found { print $1; found = 1 }'
}

[ -r "$KEYS" ] || die "no keys of Debian in $KEYS" "sudo apt install debian-archive-keyring"
command -v dpkg-deb >/dev/null || die "no dpkg-deb" "run it on Debian or Ubuntu"
case "${1:-}" in
    python) arch=${2:?architecture} out=${3:?folder} ;;
    qemu) arch=$(dpkg --print-architecture) out=${2:?folder} ;;
    *) die "got '$*'" "usage: tools/sbc_root.sh python ARCH DIR | qemu DIR" ;;
esac
[ ! -f "$out/complete" ] || exit 0
MIRROR=${MIRROR:-$(debian_archive)}
[ -n "$MIRROR" ] || die "apt on this machine knows no Debian archive" "name one: MIRROR=URL"
rm -rf "$out.new"
mkdir -p "$out.new"
if [ "$1" = qemu ]; then
    fetch trixie "$arch" "$out.new" qemu-user
    find "$out.new/usr/bin" -mindepth 1 ! -name qemu-aarch64 ! -name qemu-arm -delete
else
    fetch bookworm "$arch" "$out.new" python3-minimal python3-numpy libstdc++6
    # Debian's alternatives, which only installed packages have.
    for folder in "$out.new"/usr/lib/*-linux-gnu*; do
        for library in blas lapack; do
            if [ -d "$folder/$library" ]; then
                ln -sf "$library/lib$library.so.3" "$folder/lib$library.so.3"
            fi
        done
    done
fi
touch "$out.new/complete"
rm -rf "$out"
mv "$out.new" "$out"
