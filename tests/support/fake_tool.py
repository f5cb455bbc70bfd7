"""A program on the PATH that notes its arguments and replays what a flash tool once printed."""

from __future__ import annotations

from pathlib import Path

import pytest

_SCRIPT = """#!/bin/sh
here={here}
pwd >>"$here/folders"
number=$(cat "$here/number")
for word in "$@"; do
    printf '%s\\n' "$word" >>"$here/calls"
    case "$word" in */script) cat "$word" >>"$here/scripts" ;; esac
done
echo '--' >>"$here/calls"
[ -f "$here/answer$((number + 1))" ] && echo $((number + 1)) >"$here/number"
{before}
cat "$here/answer$number"
exit "$(cat "$here/code$number")"
"""


class FakeTool:
    """Stands in for one program; the last answer is repeated."""

    def __init__(
        self, folder: Path, program: str, monkeypatch: pytest.MonkeyPatch, before: str = ""
    ) -> None:
        self.folder = folder / f"fake-{program}"
        bin_folder = folder / "bin"
        self.folder.mkdir()
        bin_folder.mkdir(exist_ok=True)
        path = bin_folder / program
        path.write_text(_SCRIPT.format(here=self.folder, before=before), encoding="utf-8")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
        self.answers((0, ""))

    def answers(self, *answers: tuple[int, str]) -> None:
        """Set exit code and output of each call."""
        for old in self.folder.iterdir():
            old.unlink()
        for number, (code, text) in enumerate(answers):
            (self.folder / f"code{number}").write_text(str(code))
            (self.folder / f"answer{number}").write_text(text, encoding="utf-8")
        (self.folder / "number").write_text("0")

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call so far."""
        log = self.folder / "calls"
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        return [call.splitlines() for call in text.split("--\n")[:-1]]

    @property
    def folders(self) -> list[str]:
        """Where each call ran."""
        return (self.folder / "folders").read_text(encoding="utf-8").splitlines()

    @property
    def scripts(self) -> str:
        """What the script files said that were given to it."""
        log = self.folder / "scripts"
        return log.read_text(encoding="utf-8") if log.exists() else ""
