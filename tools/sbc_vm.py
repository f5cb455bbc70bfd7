"""Makes and boots an emulated arm64 computer with Debian, which `edgec` then reaches by SSH.

The guest is made of what the package archive of this machine has: debootstrap unpacks it here and
finishes it inside the guest, so that nothing of another CPU runs on this one, and no root is needed
where there is `fakeroot`. It is QEMU's `virt` machine with two Cortex-A72 and Debian's own kernel;
its first process is busybox, which starts Debian's sshd. Everything lies in one folder and is made
once; a running guest writes to a copy that is thrown away.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgec.pipeline.errors import InfrastructureError
from edgec.targets.runners.base import leash
from edgec.targets.toolchain import find_tool, run

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "sbc-vm"
QEMU = "qemu-system-aarch64"
CPU = "cortex-a72"
USER = "pi"
PACKAGES = ("busybox-static", "openssh-server", "python3", "python3-numpy")
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "ext4")
DISK_BYTES = 3 << 30
MAKE_S = 3600.0
BOOT_S = 300.0

_INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod /modules/$module; done
while [ ! -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 /dev/vda /new
[ -e /new/debootstrap ] || exec switch_root /new /sbin/init
mount -t proc proc /new/proc
mount -t sysfs sysfs /new/sys
if chroot /new /debootstrap/debootstrap --second-stage && chroot /new sh -e /finish; then
    rm /new/finish
    echo "sbc-vm: finished"
else
    tail -n 20 /new/debootstrap/debootstrap.log
    echo "sbc-vm: failed"
fi
umount /new/proc /new/sys
umount /new
poweroff -f
"""

_FINISH = f"""
useradd --create-home --shell /bin/bash --password '*' {USER}
install -d -o {USER} -g {USER} -m 700 /home/{USER}/.ssh
install -o {USER} -g {USER} -m 600 /identity.pub /home/{USER}/.ssh/authorized_keys
chmod 600 /etc/ssh/ssh_host_ed25519_key
rm -f /identity.pub /etc/ssh/ssh_host_rsa_key* /etc/ssh/ssh_host_ecdsa_key*
ln -sf /bin/busybox /sbin/init
apt-get clean
"""

_INITTAB = """::sysinit:/etc/start
::respawn:/usr/sbin/sshd -D -e
::shutdown:/bin/busybox sync
"""

_START = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm /run/sshd
mount -t devpts -o gid=5,mode=620 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
busybox hostname sbc-vm
busybox ip link set lo up
busybox ip link set eth0 up
busybox ip addr add 10.0.2.15/24 dev eth0
busybox ip route add default via 10.0.2.2
"""


_RECIPE = (_INIT, _FINISH, _INITTAB, _START, PACKAGES, MODULES, CPU, DISK_BYTES)
"""All that shapes the guest: it is made anew where one of these has changed."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A package archive: where it is, and the release that this machine takes from it."""

    site: str
    release: str


@dataclass(frozen=True, slots=True)
class Guest:
    """A running guest, to be reached on the loopback."""

    port: int
    identity: Path
    host_key: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def address(self) -> str:
        """What `edgec device add` takes."""
        return f"{USER}@127.0.0.1:{self.port}"

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the host key that was put into the image."""
        return run(["ssh-keygen", "-lf", str(self.host_key)], timeout_s=20).stdout.split()[1]


def debian_archive() -> Archive:
    """Return the Debian archive that apt on this machine is set up with."""
    fields = "$(SITE)|$(RELEASE)|$(ORIGIN)|$(COMPONENT)"
    argv = ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]
    for line in run(argv, timeout_s=60).stdout.splitlines():
        site, release, origin, component = line.split("|")
        if origin == "Debian" and component == "main" and re.fullmatch(r"[a-z]+", release):
            return Archive(site, release)
    raise InfrastructureError(
        "apt on this machine knows no Debian archive, of which the guest is made",
        "run it on Debian after apt-get update, or name one: --mirror URL --release NAME",
    )


def made(folder: Path, archive: Archive | None = None) -> Path:
    """Make the guest's disk, kernel and keys in `folder` unless they are there; return it."""
    recipe = hashlib.sha256(repr(_RECIPE).encode()).hexdigest()
    stamp = folder / "made"
    if stamp.exists() and stamp.read_text() == recipe:
        return folder
    for tool in ("debootstrap", "dpkg-deb", "mke2fs", "ssh-keygen", QEMU):
        find_tool(tool)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = archive or debian_archive()
    print(f"sbc-vm: unpacking {archive.release} of {archive.site}", flush=True)
    root, disk = folder / "root", folder / "disk.img"
    fake = _fakeroot(folder)
    words = ["--foreign", "--arch=arm64", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    run([*fake, find_tool("debootstrap"), *words, archive.release, str(root), archive.site],
        timeout_s=MAKE_S, failure=InfrastructureError)  # fmt: skip
    _add_kernel(folder, root, archive)
    _add_settings(folder, root)
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    run([*fake, find_tool("mke2fs"), "-q", "-F", "-t", "ext4", "-d", str(root), str(disk)],
        timeout_s=MAKE_S, failure=InfrastructureError)  # fmt: skip
    print("sbc-vm: setting the packages up inside the guest", flush=True)
    _finish(folder)
    shutil.rmtree(root)
    stamp.write_text(recipe)
    return folder


@contextmanager
def running(folder: Path) -> Iterator[Guest]:
    """Boot the guest, wait until its sshd answers, and end it on leaving."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "console.log"
    forward = f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22"
    # Nothing boots from the network, and the package of its ROM need not be here.
    network = ["-netdev", forward, "-device", "virtio-net-pci,netdev=net,romfile="]
    with log.open("wb") as console:
        process = subprocess.Popen(
            [*leash(), *_machine(folder), "-snapshot", *network],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, process_group=0,
        )  # fmt: skip
    try:
        guest = Guest(port, folder / "identity", folder / "host_key.pub", process, log)
        _wait(guest)
        yield guest
    finally:
        process.kill()
        process.wait()


def _machine(folder: Path) -> list[str]:
    return [
        find_tool(QEMU), "-M", "virt", "-cpu", CPU, "-smp", "2", "-m", "3072", "-nographic",
        "-no-reboot", "-kernel", str(folder / "kernel"), "-initrd", str(folder / "initrd"),
        "-append", "console=ttyAMA0 loglevel=4 panic=-1",
        "-drive", f"file={folder / 'disk.img'},format=raw,if=none,id=disk,cache=unsafe",
        "-device", "virtio-blk-pci,drive=disk",
    ]  # fmt: skip


def _finish(folder: Path) -> None:
    """Let the guest set its packages up; it powers itself off."""
    log = folder / "finish.log"
    with log.open("wb") as console:
        subprocess.run(
            [*leash(), *_machine(folder), "-nic", "none"],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, timeout=MAKE_S, check=True,
        )  # fmt: skip
    said = log.read_text(errors="replace")
    if "sbc-vm: finished" not in said:
        end = "\n".join(said.splitlines()[-20:])
        raise InfrastructureError(f"the guest could not set itself up:\n{end}")


def _wait(guest: Guest) -> None:
    deadline = time.monotonic() + BOOT_S
    while time.monotonic() < deadline and guest.process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(5)
            # QEMU answers itself before the guest does: only the banner says that sshd is there.
            try:
                probe.connect(("127.0.0.1", guest.port))
                if probe.recv(4) == b"SSH-":
                    return
            except OSError:
                pass
        time.sleep(0.5)
    end = guest.log.read_text(errors="replace").splitlines()[-20:]
    raise InfrastructureError(f"the guest did not come up within {BOOT_S:g} s:\n" + "\n".join(end))


def _fakeroot(folder: Path) -> list[str]:
    """Return the words before a command that let it own files as root does."""
    if os.geteuid() == 0:
        return []
    state = folder / "fakeroot"
    state.touch()
    return [find_tool("fakeroot"), "-i", str(state), "-s", str(state)]


def _add_kernel(folder: Path, root: Path, archive: Archive) -> None:
    """Put Debian's kernel, and an initial file system with its modules, beside the disk."""
    packages = _packages(root)
    meta = packages["linux-image-arm64"]
    name = re.search(r"linux-image-\S+-arm64", meta["Depends"])
    assert name is not None, meta["Depends"]
    kernel = _unpacked(packages[name.group()], archive, folder / "linux")
    shutil.copyfile(next(kernel.glob("boot/vmlinuz-*")), folder / "kernel")
    busybox = folder / "busybox"
    deb = next(root.glob("var/cache/apt/archives/busybox-static_*.deb"))
    run(["dpkg-deb", "-x", str(deb), str(busybox)], timeout_s=60, failure=InfrastructureError)
    files = {"init": _INIT.encode(), "bin/busybox": (busybox / "bin/busybox").read_bytes()}
    modules = _modules(kernel)
    files |= {f"modules/{_module_name(path)}": _module(path) for path in modules}
    files["modules/order"] = "\n".join(map(_module_name, modules)).encode()
    (folder / "initrd").write_bytes(_cpio(files, ("proc", "sys", "dev", "new", "bin", "modules")))
    shutil.rmtree(kernel)
    shutil.rmtree(busybox)


def _packages(root: Path) -> dict[str, dict[str, str]]:
    """Return the fields of every package that debootstrap's list names, which it has checked."""
    text = next(root.glob("var/lib/apt/lists/*_Packages")).read_text(encoding="utf-8")
    found = {}
    for entry in text.split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.*)$", entry, re.MULTILINE))
        found[fields.get("Package", "")] = fields
    return found


def _unpacked(package: dict[str, str], archive: Archive, to: Path) -> Path:
    with urllib.request.urlopen(f"{archive.site}/{package['Filename']}", timeout=600) as answer:
        data = answer.read()
    if hashlib.sha256(data).hexdigest() != package["SHA256"]:
        raise InfrastructureError(f"{package['Filename']}: not the file that the archive lists")
    deb = to.with_suffix(".deb")
    deb.write_bytes(data)
    run(["dpkg-deb", "-x", str(deb), str(to)], timeout_s=300, failure=InfrastructureError)
    deb.unlink()
    return to


def _modules(kernel: Path) -> list[Path]:
    """Return the modules that the guest needs, each after those it depends on."""
    # Newer releases have them in usr/lib, and compressed.
    files = {_module_name(path): path for path in kernel.glob("**/modules/*/kernel/**/*.ko*")}
    ordered: dict[str, Path] = {}

    def add(name: str) -> None:
        for needed in _needs(files[name]):
            add(needed)
        ordered.setdefault(name, files[name])

    # ext4 asks for this one by name when it mounts.
    for name in (*MODULES, "crc32c_generic"):
        if name in files:
            add(name)
    return list(ordered.values())


def _module_name(path: Path) -> str:
    return path.name.partition(".ko")[0].replace("-", "_")


def _module(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _needs(module: Path) -> list[str]:
    found = re.search(rb"\0depends=([^\0]*)\0", _module(module))
    return [] if found is None else [n.replace("-", "_") for n in found[1].decode().split(",") if n]


def _cpio(files: dict[str, bytes], folders: Sequence[str]) -> bytes:
    """Return an archive of the kind that the kernel unpacks into memory (`newc`)."""
    out = io.BytesIO()
    entries = [(name, 0o40755, b"") for name in folders]
    entries += [(name, 0o100755, data) for name, data in files.items()]
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        facts = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out.write(b"070701" + b"".join(b"%08x" % fact for fact in facts) + name.encode() + b"\0")
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))
    return out.getvalue()


def _add_settings(folder: Path, root: Path) -> None:
    """Write the guest's keys, and what starts it."""
    for name in ("host_key", "identity"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)],
            timeout_s=20)  # fmt: skip
    texts = {"finish": _FINISH, "etc/inittab": _INITTAB, "etc/start": _START}
    for name, text in texts.items():
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    (root / "etc/ssh").mkdir(exist_ok=True)
    shutil.copyfile(folder / "host_key", root / "etc/ssh/ssh_host_ed25519_key")
    shutil.copyfile(folder / "host_key.pub", root / "etc/ssh/ssh_host_ed25519_key.pub")
    shutil.copyfile(folder / "identity.pub", root / "identity.pub")
