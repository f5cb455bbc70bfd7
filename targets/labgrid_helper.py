"""Holds a place of labgrid for edgec; run by the Python of labgrid's own environment.

usage: PYTHON labgrid_helper.py HOST:PORT

Reads one request from standard input, `{"places": [NAME…], "wait_s": N}`, and answers it in one
line: `{"place": NAME, "console": ADDRESS}`, or `{"error": "busy" or "failed", "said": TEXT}`. The
place is given back when the input ends, however the other side ended.

Places are reserved before they are acquired, so that labgrid's queue is fair to people too.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from typing import Any

import grpc
from labgrid.remote import client
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages

POLL_S = 0.5
ALLOCATED = 1
"""The state of a reservation whose place may be acquired, as the coordinator numbers it."""


class Session(client.ClientSession):  # type: ignore[misc]
    """A client of its own name: another process of the same user may not use what we reserved."""

    def getuser(self) -> str:
        """Return the user with our process number."""
        return f"{super().getuser()}-edgec-{os.getpid()}"


class Busy(Exception):
    """Somebody else has every place that would do."""


async def reserve(session: Session, places: list[str]) -> dict[str, str]:
    """Queue for each place; return the token of each reservation."""
    unknown = [name for name in places if name not in session.places]
    if unknown:
        raise LookupError(f"the coordinator has no place {unknown[0]!r}")
    tokens = {}
    for name in places:
        fltr = messages.Reservation.Filter(filter={"name": name})
        request = messages.CreateReservationRequest(filters={"main": fltr}, prio=0.0)
        answer = await session.stub.CreateReservation(request)
        tokens[name] = answer.reservation.token
    return tokens


async def allocated(session: Session, tokens: dict[str, str], wait_s: float) -> str:
    """Wait until one of the reserved places is ours to acquire; return its name."""
    deadline = time.monotonic() + wait_s
    while True:
        for name, token in tokens.items():
            request = messages.PollReservationRequest(token=token)
            answer = await session.stub.PollReservation(request)
            if answer.reservation.state == ALLOCATED:
                return name
        if time.monotonic() > deadline:
            owners = [f"{n}: {session.places[n].acquired or 'reserved'}" for n in tokens]
            raise Busy(", ".join(owners))
        await asyncio.sleep(POLL_S)


def console(session: Session, name: str) -> str:
    """Return the address of a place's serial port; empty if it has none that we can reach."""
    place = session.places[name]
    for exporter, groups in session.resources.items():
        for group, resources in groups.items():
            for key, resource in resources.items():
                ours = place.hasmatch((exporter, group, resource.cls, key)) and resource.avail
                host, port = resource.params.get("host"), resource.params.get("port")
                if not ours or resource.cls != "NetworkSerialPort" or not host or not port:
                    continue
                if not resource.extra.get("proxy_required"):
                    raw = resource.params.get("protocol") == "raw"
                    return f"{'socket' if raw else 'rfc2217'}://{host}:{port}"
    return ""


async def cancel(session: Session, tokens: dict[str, str]) -> None:
    """Leave the queues; what is gone already does not matter."""
    for token in tokens.values():
        with suppress(grpc.aio.AioRpcError):
            await session.stub.CancelReservation(messages.CancelReservationRequest(token=token))


async def input_end() -> None:
    """Wait until the other side has closed our input, or is gone."""
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def say(answer: dict[str, Any]) -> None:
    """Answer the request."""
    print(json.dumps(answer), flush=True)


async def hold(session: Session, request: dict[str, Any]) -> None:
    """Acquire one of the places, say so, hold it until our input ends, and give it back."""
    tokens: dict[str, str] = {}
    waiting = asyncio.ensure_future(input_end())
    try:
        tokens |= await reserve(session, request["places"])
        turn = asyncio.ensure_future(allocated(session, tokens, request["wait_s"]))
        await asyncio.wait({turn, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not turn.done():
            turn.cancel()
            return
        name = turn.result()
        await cancel(session, {n: t for n, t in tokens.items() if n != name})
        await session.stub.AcquirePlace(messages.AcquirePlaceRequest(placename=name))
        try:
            await session.sync_with_coordinator()
            say({"place": name, "console": console(session, name)})
            await waiting
        finally:
            own = f"{session.gethostname()}/{session.getuser()}"
            release = messages.ReleasePlaceRequest(placename=name, fromuser=own)
            await session.stub.ReleasePlace(release)
    finally:
        await cancel(session, tokens)


async def main(address: str) -> None:
    """Answer the one request that our input holds."""
    request = json.loads(sys.stdin.readline())
    session = Session(address, asyncio.get_running_loop())
    try:
        await session.start()
        await hold(session, request)
    except Busy as error:
        say({"error": "busy", "said": str(error)})
    except grpc.aio.AioRpcError as error:
        say({"error": "failed", "said": error.details() or str(error.code())})
    except (client.Error, LookupError) as error:
        say({"error": "failed", "said": str(error)})
    finally:
        await session.stop()
        await session.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
