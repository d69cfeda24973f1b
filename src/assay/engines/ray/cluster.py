"""Starts a local Ray on loopback or joins a cluster, with telemetry off."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from assay.core.errors import UsageError

logger = logging.getLogger(__name__)

_TRIES = 2
_SECONDS_TO_ANSWER = 5.0
_TELLS_OF_TOKENS = "ray._private.authentication.authentication_token_setup"
_OUTSIDE = "ray://"  # of the address of a Ray client server
_ON_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # "0" makes Ray listen on loopback only, on Linux too


@contextmanager
def joined(address: str | None) -> Iterator[str]:
    """Be connected to a Ray inside; one that was connected before stays so, and one that was started ends.

    Yields the address of its dashboard; empty if it has none.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    if ray.is_initialized():
        yield _dashboard()
        return
    wanted = address or os.environ.get("RAY_ADDRESS") or None
    if wanted == "local" or (wanted is None and not _join("auto")):
        _start()
    elif wanted is not None and not _join(wanted):
        raise UsageError(
            f"There is no Ray at '{wanted}', or it does not accept this machine. Write the address of a "
            "cluster, as in '10.0.0.2:6379' or 'ray://10.0.0.2:10001', or leave it out: engine='ray' then "
            "starts one on this machine. A cluster with tokens needs RAY_AUTH_MODE=token and its token."
        )
    try:
        yield _dashboard()
    finally:
        ray.shutdown()


def _join(address: str) -> bool:
    """Return whether there is a Ray at the address, and be connected to it."""
    services = importlib.import_module("ray._private.services")
    try:
        if address.startswith(_OUTSIDE):
            found = address.removeprefix(_OUTSIDE)
        else:
            found = str(services.canonicalize_bootstrap_address_or_die(address))
        with socket.create_connection(_host_and_port(found), _SECONDS_TO_ANSWER):
            pass  # Ray itself would try for minutes
        _init(address)
    except (OSError, ValueError, importlib.import_module("ray").exceptions.AuthenticationError) as error:
        logger.info("no Ray at %s: %s", address, error)
        return False
    return True


def is_outside() -> bool:
    """Return whether this process is connected as a client, to which tasks cannot stream."""
    client = importlib.import_module("ray.util.client")
    return bool(client.ray.is_connected())


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _start() -> None:
    """Start a Ray that listens on loopback only, without a dashboard."""
    constants = importlib.import_module("ray._private.ray_constants")
    before, clusters = os.environ.get(_ON_LOOPBACK), constants.ENABLE_RAY_CLUSTER
    logging.getLogger(_TELLS_OF_TOKENS).setLevel(logging.ERROR)  # of a Ray that only this run can reach
    os.environ[_ON_LOOPBACK], constants.ENABLE_RAY_CLUSTER = "0", False  # type: ignore[attr-defined]
    try:
        _start_within(_TRIES)
    finally:
        constants.ENABLE_RAY_CLUSTER = clusters  # type: ignore[attr-defined]
        if before is None:
            del os.environ[_ON_LOOPBACK]
        else:
            os.environ[_ON_LOOPBACK] = before


def _start_within(tries: int) -> None:
    """Start a local Ray, and retry if its processes exceed Ray's limit of half a minute."""
    import ray

    try:
        _init("local", include_dashboard=False)
    except Exception as error:  # of no class of Ray's own
        ray.shutdown()
        if tries > 1:
            logger.info("Ray does not start", exc_info=True)
            return _start_within(tries - 1)
        raise UsageError(
            f"Ray does not start on this machine ({error}). If it has too much to do, run the same again; or "
            "start it by hand with: ray start --head"
        ) from error


def _init(address: str, **settings: bool) -> None:
    """Connect to Ray, and restore this process's handler of TERM, which Ray replaces."""
    import ray

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING, **settings)
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _dashboard() -> str:
    """Return the address of the dashboard; empty if there is none."""
    if is_outside():
        return ""
    worker = importlib.import_module("ray._private.worker")
    url = worker.get_dashboard_url()
    return f"http://{url}" if url else ""
