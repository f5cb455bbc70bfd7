"""Places of a real labgrid are leased: never twice at once, and given back whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from edgec.pipeline.errors import EdgecError, InfrastructureError, ToolMissingError
from edgec.targets.lab import Labgrid
from edgec.targets.labgrid_client import leased_place
from tests.support.hil_pack import PackWriter, built_small
from tests.support.labgrid_site import Site, labgrid_site

PLACES = ("place-1", "place-2")


@pytest.fixture(scope="module")
def site(labgrid_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("labgrid") / "site"
    with labgrid_site(labgrid_python, folder, PLACES, serial="wired") as site:
        yield site


@pytest.fixture(scope="module")
def labgrid(labgrid_python: Path, site: Site) -> Labgrid:
    return Labgrid(labgrid_python, site.address)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    packs = PackWriter(folder)
    packs.add("steady", built_small(folder / "model"))
    return packs.write("two", [("steady", ""), ("steady", "")])


def write_lab(folder: Path, labgrid: Labgrid) -> Path:
    boards = [
        f'[[board]]\nname = "b-{name}"\ntype = "cortex-m4"\nplace = "{name}"\n' for name in PLACES
    ]
    head = f'[labgrid]\npython = "{labgrid.python}"\ncoordinator = "{labgrid.coordinator}"\n'
    path = folder / "lab.toml"
    path.write_text("\n".join([*boards, head]))
    return path


def test_three_clients_contend_for_two_places_and_none_is_leased_twice(
    site: Site, labgrid: Labgrid, pack: Path, tmp_path: Path
) -> None:
    """Each client has locks of its own, so that nothing but labgrid keeps them apart."""
    lab = write_lab(tmp_path, labgrid)
    before = {name: len(site.history(name)) for name in PLACES}
    site.client("-p", "place-2", "acquire")
    clients = [
        subprocess.Popen(
            [sys.executable, "-m", "edgec", "hil", "run", pack, "--lab", lab, "-o",
             tmp_path / f"report-{number}.json"],
            env={**os.environ, "EDGEC_LOCKS_DIR": str(tmp_path / f"locks-{number}")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for number in range(3)
    ]  # fmt: skip
    deadline = time.monotonic() + 60
    while site.client("reservations").count("state: waiting") < 3:
        assert time.monotonic() < deadline, "nobody contends"
        time.sleep(0.1)
    site.client("-p", "place-2", "release")
    said = [client.communicate(timeout=200)[0] for client in clients]
    assert [client.returncode for client in clients] == [0, 0, 0], "\n".join(said)
    reports = [json.loads((tmp_path / f"report-{n}.json").read_text()) for n in range(3)]
    used = sorted(job["board"] for report in reports for job in report["jobs"])
    assert len(used) == 6 and set(used) <= {"b-place-1", "b-place-2"}
    histories = [site.history(name)[before[name] :] for name in PLACES]
    assert sum(map(len, histories)) == 14, "six jobs, and the one that held them up"
    for history in histories:
        assert history == ["acquired", "released"] * (len(history) // 2)
    assert site.taken() == []


CLIENT = """
import json, sys, time
from pathlib import Path
from edgec.targets.lab import Labgrid
from edgec.targets.labgrid_client import leased_place
labgrid = Labgrid(Path(sys.argv[1]), sys.argv[2])
for _ in range(2):
    with leased_place(labgrid, ["place-1", "place-2"], 60) as place:
        begun = time.monotonic()
        time.sleep(0.3)
        print(json.dumps([place.name, begun, time.monotonic()]), flush=True)
"""


def test_leases_of_a_place_never_overlap(site: Site, labgrid: Labgrid) -> None:
    """The clients' own clock says so too."""
    argv = [sys.executable, "-c", CLIENT, str(labgrid.python), labgrid.coordinator]
    clients = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    lines = [line for c in clients for line in c.communicate(timeout=120)[0].splitlines()]
    assert all(client.returncode == 0 for client in clients)
    held = [json.loads(line) for line in lines]
    assert len(held) == 6
    for name in PLACES:
        spans = sorted((begun, ended) for place, begun, ended in held if place == name)
        for (_, ended), (begun, _) in pairwise(spans):
            assert ended <= begun
    assert site.taken() == [] and site.client("reservations").strip() == ""


def test_a_place_of_somebody_else_is_busy_and_one_of_a_killed_client_is_free(
    site: Site, labgrid: Labgrid
) -> None:
    site.client("-p", "place-1", "acquire")
    with pytest.raises(InfrastructureError) as busy, leased_place(labgrid, ["place-1"], 0):
        pass
    assert busy.value.name == "probe-busy" and site.taken() == ["place-1"]
    with leased_place(labgrid, ["place-1", "place-2"], 5) as place:
        assert (place.name, place.console) == ("place-2", "")
        assert sorted(site.taken()) == ["place-1", "place-2"]
    with leased_place(labgrid, ["wired"], 5) as place:
        assert place.console == "socket://127.0.0.1:4001"
    site.client("-p", "place-1", "release")

    script = CLIENT.replace("time.sleep(0.3)", "print('held', flush=True); time.sleep(60)")
    argv = [sys.executable, "-c", script, str(labgrid.python), labgrid.coordinator]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None and client.stdout.readline() == "held\n"
        assert len(site.taken()) == 1
        client.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while site.taken() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert site.taken() == []


@pytest.mark.parametrize(
    ("grid", "place", "error", "said"),
    [
        ({}, "nowhere", InfrastructureError, "the coordinator has no place 'nowhere'"),
        ({"coordinator": "127.0.0.1:1"}, "place-1", InfrastructureError, "ould not connect"),
        ({"python": Path("/nowhere/python")}, "place-1", ToolMissingError, "is not there"),
        (
            {"python": Path(sys.executable)},
            "place-1",
            InfrastructureError,
            "No module named",
        ),
    ],
)
def test_what_is_wrong_with_labgrid_is_said(
    grid: dict[str, object], place: str, error: type[EdgecError], said: str, labgrid: Labgrid
) -> None:
    facts = {"python": labgrid.python, "coordinator": labgrid.coordinator, **grid}
    with pytest.raises(error, match=said), leased_place(Labgrid(**facts), [place], 0):
        pass
