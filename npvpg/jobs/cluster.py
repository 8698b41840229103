"""
A Ray cluster: how to get at it, and to processes in it.

Ray starts processes, moves arrays and tells of those that died; everything else is as in one
process. It is an extra, imported when it is asked for and no sooner.
"""

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from npvpg.jobs.interrupt import Interrupted, Interrupts
from npvpg.jobs.run import versions
from npvpg.world.split import Gone, Lost

ALIKE = ("npvpg", "numpy", "python")
"""What must be of one version everywhere."""

_LOOK = 1.0  # between two looks whether the cluster is there [s]
_PATIENCE = 10  # looks in a row that find nothing, before it is given up
_MEMORY = 2**28  # that a cluster started here keeps for what travels [B]


def need_ray() -> None:
    """
    Refuse to go on without Ray.

    Raises
    ------
    ValueError
        If it is not installed; it says how to.
    """
    if find_spec("ray") is None:
        raise ValueError('workers need Ray, which is not installed: pip install "ray[tune]"')


@contextlib.contextmanager
def connected(address: str | None, n_workers: int) -> Iterator["Cluster"]:
    """
    Connect with a Ray cluster, or start one here that ends with the block.

    Parameters
    ----------
    address : str, optional
        Address of its head, HOST:PORT; one is started on this machine unless given.
    n_workers : int
        Workers that one started here is to have room for.

    Yields
    ------
    Cluster
        The cluster.

    Raises
    ------
    ValueError
        If Ray is not installed or there is no such cluster.
    """
    need_ray()
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",  # no telemetry
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_gcs_rpc_server_reconnect_timeout_s": "3600",  # Ray aborts this process after that
    }
    if address is None or not _reachable_from_outside(address):
        settings["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # stay on the loopback address
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    import ray  # noqa: PLC0415 - an extra, and slow

    # of a node that is lost it would print pages, which its log has as well
    ray._private.worker.print_to_stdstream = lambda *_, **__: None
    given: dict[str, Any] = {"address": address}
    if address is None:
        given = {
            "address": "local",
            "num_cpus": max(n_workers, os.cpu_count() or 1),
            "num_gpus": 0,
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
            "object_store_memory": _MEMORY,
        }
    try:
        ray.init(**given, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:
        told = str(error).strip().splitlines()
        raise ValueError(
            f"no Ray cluster at {address or 'this machine'}: {told[-1] if told else repr(error)}"
        ) from error
    cluster = Cluster(ray, address)
    try:
        yield cluster
    finally:
        cluster.close()


def _reachable_from_outside(address: str) -> bool:
    """
    Refuse an address where nothing listens, for which Ray would wait for minutes.

    Ray takes the loopback address for that of this machine in its network, where a head that was
    started for the loopback address alone does not listen.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"ray-address must be HOST:PORT, got {address!r}")
    try:
        with socket.create_connection((host, int(port)), timeout=_LOOK * _PATIENCE):
            pass
    except OSError as error:
        raise ValueError(f"no Ray cluster at {address}: {error.strerror or error}") from None
    if host not in ("127.0.0.1", "localhost", "::1"):
        return True
    try:
        with socket.create_connection((socket.gethostname(), int(port)), timeout=_LOOK) as other:
            return not other.getpeername()[0].startswith("127.")
    except OSError:
        return False


class Cluster:
    """
    A Ray cluster that this process is connected with.

    Parameters
    ----------
    ray : module
        Ray, initialised.
    address : str or None
        Where it is; None for one that was started here.
    """

    def __init__(self, ray: ModuleType, address: str | None) -> None:
        self.ray, self.address = ray, address
        self._host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        self._port, self._gone, self._missed = int(port), False, 0

    @property
    def n_cpus(self) -> float:
        """Processors that its nodes have together."""
        return float(self.ray.cluster_resources().get("CPU", 0.0))

    def start(self, kind: type[Any], share: float) -> Any:
        """
        Start a process.

        Parameters
        ----------
        kind : type
            What it is to do, of `npvpg.jobs.remote`.
        share : float
            Part of a processor to keep free for it.

        Returns
        -------
        ray.actor.ActorHandle
            Has the methods of `kind`.
        """
        remote = self.ray.remote(kind)
        options = {"num_cpus": share, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        return remote.options(**options).remote()

    def end(self, handle: Any) -> None:
        """
        End a process.

        Parameters
        ----------
        handle : ray.actor.ActorHandle
            What `start` gave.
        """
        with contextlib.suppress(Exception):  # it may be no more, or the cluster
            self.ray.kill(handle)

    def get(self, reference: Any, within: float = float("inf")) -> Any:
        """
        Wait for a result.

        Parameters
        ----------
        reference : ray.ObjectRef
            What to wait for.
        within : float
            After how long its process counts as lost [s].

        Returns
        -------
        object
            The result.

        Raises
        ------
        Lost
            If the process that was to give it is no more.
        Gone
            If the cluster is no more.
        ValueError
            If the process cannot work at all.
        """
        errors = self.ray.exceptions
        until = time.monotonic() + within
        try:
            while not self.wait([reference], _LOOK):
                if time.monotonic() > until:
                    raise Lost
            return self.ray.get(reference)
        except errors.RayTaskError as error:
            raise ValueError(f"a worker failed: {str(error).strip().splitlines()[-1]}") from error
        except errors.RayError as error:
            if not self._answers():
                raise self.gone() from error
            raise Lost(str(error)) from error

    def wait(self, references: list[Any], seconds: float) -> list[Any]:
        """
        Wait for the first results.

        Parameters
        ----------
        references : list of ray.ObjectRef
            What to wait for.
        seconds : float
            How long [s].

        Returns
        -------
        list of ray.ObjectRef
            What is there.

        Raises
        ------
        Gone
            If there is nothing, and the cluster has not answered for a while.
        """
        try:
            ready: list[Any] = self.ray.wait(references, timeout=seconds)[0]
        except Interrupted:
            raise
        except KeyboardInterrupt:  # Ray's own, which does not say by which signal
            raise Interrupted(Interrupts.last) from None
        self._missed = 0 if ready or self._answers() else self._missed + 1
        if self._missed >= _PATIENCE:
            raise self.gone()
        return ready

    def gone(self) -> Gone:
        """
        Say that the cluster is no more.

        Returns
        -------
        Gone
            To be raised.
        """
        self._gone = True
        return Gone(f"the Ray cluster at {self._host}:{self._port} is gone")

    def _answers(self) -> bool:
        """Say whether its head is there."""
        try:
            with socket.create_connection((self._host, self._port), timeout=_LOOK):
                return True
        except OSError:
            return False

    def close(self) -> None:
        """Leave the cluster, and end one that was started here."""
        if not self._gone:
            self.ray.shutdown()


def check_versions(theirs: dict[str, str]) -> None:
    """
    Refuse a worker that may give other numbers.

    Parameters
    ----------
    theirs : dict of str
        Its versions.

    Raises
    ------
    ValueError
        If one of `ALIKE` differs; both versions are named.
    """
    ours = versions()
    for name in ALIKE:
        if theirs.get(name) != ours[name]:
            raise ValueError(
                f"a worker has {name} {theirs.get(name)}, this process {ours[name]}: "
                "the same version must be installed on every machine"
            )
