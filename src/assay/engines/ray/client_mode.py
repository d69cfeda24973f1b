"""Workers for a driver outside the cluster (``ray://``): an actor owns them; clients cannot stream tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

from assay.core.errors import AssayError, UsageError
from assay.engines.ray.resources import Needs
from assay.engines.ray.tasks import RayTasks, Shipped, Shipping
from assay.workers.channel import Message
from assay.workers.pool import Reply, WorkerLost


class TaskActor:
    """The actor: Ray tasks, whose replies are asked for one by one.

    Args:
        needs: What an evaluation needs.
        most: The number of workers; None for as many as the nodes have room for.
    """

    def __init__(self, needs: Needs, most: int | None) -> None:
        self._shipped = Shipped(needs)
        self._tasks = RayTasks(self._shipped, most, is_inside=False)

    def request(self, worker: int, message: Message, needs: Needs, greeting: list[Any]) -> str:
        """Submit the task of a request; return why that is refused, if it is."""
        self._shipped.needs, self._shipped.greeting = needs, greeting[0]
        return self.call("request", worker, message)[1]

    def call(self, name: str, *given: Any) -> tuple[Any, str]:
        """Return the result of a method, and the reason if it refuses."""
        try:
            return getattr(self._tasks, name)(*given), ""
        except UsageError as error:
            return None, str(error)


@final
class OutsideTasks:
    """Workers that are Ray tasks of an actor on the cluster.

    Args:
        shipping: Has packed the requests.
        most: The number of workers; None for as many as the nodes have room for.
    """

    def __init__(self, shipping: Shipping, most: int | None) -> None:
        import ray

        self._ray = ray
        self._shipping = shipping
        self._inside = ray.remote(TaskActor).options(num_cpus=0).remote(shipping.needs, most)

    def added(self) -> Iterable[int]:
        """Return the numbers of workers for which there is room since the last call."""
        new: Iterable[int] = self._called("added")
        return new

    def place(self, worker: int) -> str:
        """Return the node that a worker is on."""
        return str(self._called("place", worker))

    def request(self, worker: int, message: Message) -> None:
        """Submit the task of a request."""
        shipping = self._shipping
        refused = self._inside.request.remote(worker, message, shipping.needs, [shipping.greeting])
        _accepted(self._got(refused))

    def next(self) -> Reply | WorkerLost | None:
        """Return the next reply of any task, or its loss; None after a while without either."""
        reply: Reply | WorkerLost | None = self._called("next")
        return reply

    def kill(self, worker: int) -> None:
        """Kill a task; it is then lost."""
        self._called("kill", worker)

    def retire(self, worker: int) -> None:
        """Do nothing: the task has ended."""

    def close(self) -> None:
        """End all tasks, even busy ones."""
        self._called("close")
        self._ray.kill(self._inside)

    def _called(self, name: str, *given: Any) -> Any:
        value, refused = self._got(self._inside.call.remote(name, *given))
        _accepted(refused)
        return value

    def _got(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except (ConnectionError, self._ray.exceptions.RayError) as error:
            why = " ".join(str(error).split())[:300]
            raise AssayError(
                f"The cluster does not answer any more ({why}). What is finished is kept: the same command "
                "continues."
            ) from error


def _accepted(refused: str) -> None:
    if refused:
        raise UsageError(refused)
