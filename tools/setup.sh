#!/usr/bin/env bash
# Install what edgec needs: compilers and the emulator from apt, Python packages into a venv.
# usage: tools/setup.sh tools | venv EXTRAS | labgrid
# VENV names the venv's folder, PYTHON the interpreter to make it with; both may be left out.
# FOR_TESTS=1 adds the compilers and flash tools that only the tests use.
set -euo pipefail
cd "$(dirname "$0")/.."
VENV=${VENV:-.venv}

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "error: $1"; [ -z "${2:-}" ] || say "hint: $2"; exit 4; }

python_is_right() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if command -v "$candidate" >/dev/null && python_is_right "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

has_header() { printf '#include <stdio.h>\n' | "$1" -E - >/dev/null 2>&1; }

# libFuzzer comes in a package that is named after the version of the default clang.
fuzzer_package() {
    local found
    found=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    printf 'libclang-rt-%s-dev\n' "${found:-14}"
}

has_fuzzer() {
    local folder
    folder=$(clang -print-resource-dir 2>/dev/null) || return 1
    [ -n "$(find "$folder/" -name 'libclang_rt.fuzzer*.a' -print -quit 2>/dev/null)" ]
}

# What is missing, as Debian names it: words without spaces, so they are used unquoted below.
missing_packages() {
    local python
    command -v make >/dev/null || echo make
    command -v gcc >/dev/null || echo gcc
    has_header gcc || echo libc6-dev
    command -v arm-none-eabi-gcc >/dev/null || echo gcc-arm-none-eabi
    has_header arm-none-eabi-gcc || echo libnewlib-arm-none-eabi
    command -v qemu-system-arm >/dev/null || echo qemu-system-arm
    if [ "${FOR_TESTS:-}" = 1 ]; then
        command -v g++ >/dev/null || echo g++
        command -v cmake >/dev/null || echo cmake
        command -v clang >/dev/null || echo clang
        has_fuzzer || printf '%s\n' "$(fuzzer_package)"
        has_header aarch64-linux-gnu-gcc || printf '%s\n' gcc-aarch64-linux-gnu libc6-dev-arm64-cross
        has_header arm-linux-gnueabihf-gcc || printf '%s\n' gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
        command -v qemu-aarch64 >/dev/null || echo qemu-user
        command -v ssh >/dev/null || echo openssh-client
        [ -x /usr/sbin/sshd ] || echo openssh-server
        command -v openocd >/dev/null || echo openocd
        command -v st-flash >/dev/null || echo stlink-tools
        command -v dfu-util >/dev/null || echo dfu-util
        command -v bossac >/dev/null || echo bossa-cli
    fi
    if [ ! -x "$VENV/bin/python" ]; then
        if python=$(find_python); then
            "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
        else
            printf '%s\n' python3 python3-venv
        fi
    fi
}

apt_install() {
    local sudo=
    command -v apt-get >/dev/null || { say "no apt-get on this machine"; return 1; }
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { say "not root, and no sudo"; return 1; }
        if [ -t 0 ]; then sudo=sudo; else sudo="sudo -n"; fi
    fi
    say "apt-get install $*"
    $sudo apt-get update -qq >&2 || say "apt-get update failed; trying with the old lists"
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >&2
}

install_tools() {
    local missing
    missing=$(missing_packages)
    if [ -n "$missing" ]; then
        say "missing:" $missing
        apt_install $missing || true
        missing=$(missing_packages)
        if [ -n "$missing" ]; then
            die "these are missing, and could not be installed:"$'\n'"$missing" \
                "install them by hand (the names are Debian's) so that their commands are on PATH, newlib beside arm-none-eabi-gcc, and Python 3.11 to 3.13 with venv, then run make again"
        fi
    fi
}

install_venv() {
    local extras=$1 python quiet=--quiet
    if [ -x "$VENV/bin/python" ]; then
        python_is_right "$VENV/bin/python" ||
            die "$VENV holds a Python outside 3.11 to 3.13" "remove $VENV and run make again"
    else
        python=$(find_python) ||
            die "no Python 3.11 to 3.13 found${PYTHON:+ at $PYTHON}" "install one, or name it: make PYTHON=/path/to/python3.12"
        say "making $VENV with $("$python" --version)"
        "$python" -m venv "$VENV"
    fi
    say "installing edgec[$extras] into $VENV, versions from constraints.txt (2 GB on disk with TensorFlow; minutes the first time)"
    if [ -t 2 ]; then quiet=; fi
    "$VENV/bin/python" -m pip install $quiet --disable-pip-version-check \
        --constraint constraints.txt --editable ".[$extras]" >&2
}

# labgrid brings a pyserial of its own, so it gets an environment of its own.
install_labgrid() {
    say "installing labgrid into $VENV-labgrid, for the tests of labs"
    "$VENV/bin/python" -m venv "$VENV-labgrid"
    "$VENV-labgrid/bin/python" -m pip install --quiet --disable-pip-version-check \
        labgrid==26.0.1 >&2
}

case "${1:-}" in
    tools) install_tools ;;
    venv) install_venv "${2:?extras, as in tensorflow,tvm,dev}" ;;
    labgrid) install_labgrid ;;
    *) die "usage: tools/setup.sh tools | venv EXTRAS | labgrid" ;;
esac
