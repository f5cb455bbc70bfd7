"""Serial numbers in results that are shared: hashed, with a salt that stays here."""

from __future__ import annotations

import hashlib
import secrets

from edgec.targets.devices import config_folder


def uid_hash(serial: str) -> str:
    """Return 16 hex digits that name a board to whoever has this user's salt, and nobody else."""
    path = config_folder() / "salt"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = path.with_name(f"salt-{secrets.token_hex(8)}")
        own.touch(mode=0o600)
        own.write_text(secrets.token_hex(32), encoding="ascii")
        # Whoever links it first has made the salt of all.
        try:
            path.hardlink_to(own)
        except FileExistsError:
            pass
        finally:
            own.unlink()
    salt = path.read_text(encoding="ascii").strip()
    return hashlib.sha256(f"{salt}:{serial}".encode()).hexdigest()[:16]
