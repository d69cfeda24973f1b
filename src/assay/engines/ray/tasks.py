"""Workers that are Ray tasks: one streaming task for each evaluation, with all events in one stream."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from assay.core.errors import UsageError
from assay.core.task import Task
from assay.engines.ray.node_task import NodeInfo, WorkerConfig, relay
from assay.engines.ray.resources import Needs
from assay.plugins.engine import Evaluate
from assay.plugins.scheduler import Work
from assay.run.versions import versions
from assay.workers.channel import Message
from assay.workers.evaluating.pickling import pickled
from assay.workers.evaluating.process import folder_now, preloaded, request_of
from assay.workers.pool import Reply, WorkerLost

_CARRIED = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "ASSAY_PIXEL_CACHE")
_SECONDS_BETWEEN_LOOKS = 5.0  # at the nodes
_MOST_UNREAD = 64  # replies of a task that wait for the driver
_MODEL, _MEMORY = "model", "memory"  # fields of a request: the key of its model, and the bytes expected


@final
class Shipping:
    """Packs evaluations for nodes; what many of them hold, tasks above all, is put into Ray's store once.

    Args:
        evaluate: The evaluator; every worker has a copy.
        needs: What an evaluation needs.
    """

    def __init__(self, evaluate: Evaluate[Any], needs: Needs) -> None:
        self._evaluate = evaluate
        self._tasks: dict[int, tuple[Task, str, Any]] = {}  # by id: the task, its name, and its reference
        self._greeting: Any = None
        self.needs = needs

    def packed(self, evaluation: Work) -> Message:
        """Return the request for an evaluation."""
        import ray

        if self._greeting is None:
            self.needs = self.needs.on(evaluation.device)
            self._greeting = ray.put(self._greeting_of(pickled(self._evaluate)))
        used: dict[str, Any] = {}

        def apart(part: object) -> str | None:
            if not isinstance(part, Task):
                return None
            if id(part) not in self._tasks:
                reference = ray.put(np.frombuffer(pickled(part), np.uint8))
                self._tasks[id(part)] = part, f"task {len(self._tasks)}", reference
            _, name, used[name] = self._tasks[id(part)]
            return name

        request = request_of(pickled(evaluation, apart))
        about = {_MODEL: str(evaluation.model_key), _MEMORY: evaluation.expected_bytes}
        return request._replace(fields={**used, **about})

    @property
    def greeting(self) -> Any:
        """The reference to what nodes must know, once an evaluation was packed."""
        return self._greeting

    def _greeting_of(self, evaluate: bytes) -> WorkerConfig:
        carried = {name: os.environ[name] for name in _CARRIED if name in os.environ}
        return WorkerConfig(
            evaluate=evaluate,
            versions=versions(),
            variables=carried | preloaded(),
            folder=folder_now(),
            threads=self.needs.threads,
            keeps_model=not self.needs.gpus,
            time_limit=self.needs.time_limit,
        )


@dataclass(slots=True)
class Shipped:
    """What another process has packed.

    Attributes:
        needs: What an evaluation needs.
        greeting: The reference to what nodes must know, once an evaluation was packed.
    """

    needs: Needs
    greeting: Any = None


@final
class RayTasks:
    """Workers that are Ray tasks.

    Args:
        shipping: Has packed the requests, here or elsewhere.
        most: The number of workers; None for as many as the nodes have room for.
        is_inside: Whether the driver is on this node.
    """

    def __init__(self, shipping: Shipping | Shipped, most: int | None, *, is_inside: bool = True) -> None:
        import ray

        self._ray = ray
        self._shipping = shipping
        self._most = most
        self._count = 0
        self._looked = -_SECONDS_BETWEEN_LOOKS
        self._streams: dict[int, Any] = {}
        self._ready: deque[int] = deque()
        self._hello: dict[int, NodeInfo] = {}  # where each worker is, or was last
        self._nodes: dict[str, str] = {}  # by model: where its weights are
        self._models: dict[int, str] = {}
        self._here = ray.get_runtime_context().get_node_id() if is_inside else ""
        self._relay = ray.remote(relay)

    def added(self) -> Iterable[int]:
        """Return the numbers of workers for which there is room since the last call."""
        if self._shipping.greeting is None and self._most is None:  # the device of evaluations is not known
            before, self._count = self._count, 1
            return range(before, 1)
        if self._count and (self._most or time.monotonic() < self._looked + _SECONDS_BETWEEN_LOOKS):
            return ()
        self._looked, before = time.monotonic(), self._count
        self._count = self._most or max(before, self._room(), 1)
        return range(before, self._count)

    def place(self, worker: int) -> str:
        """Return the node that a worker is on; empty for that of the driver."""
        hello = self._hello.get(worker)
        return "" if hello is None or hello.node_id == self._here else f"node {hello.host}"

    def request(self, worker: int, message: Message) -> None:
        """Submit the task of a request."""
        needs, fields = self._shipping.needs, dict(message.fields)
        model = self._models[worker] = str(fields.pop(_MODEL))
        nodes = self._ray.nodes()
        if self._most is None and not needs.room(nodes):
            raise needs.refusal(nodes)
        self._streams[worker] = self._relay.options(
            **needs.options(int(fields.pop(_MEMORY)), nodes),
            num_returns="streaming",
            max_retries=0,
            name=f"assay {model}"[:80],
            _generator_backpressure_num_objects=_MOST_UNREAD,
            scheduling_strategy=self._strategy(model),
        ).remote(self._shipping.greeting, message._replace(fields=fields))

    def next(self) -> Reply | WorkerLost | None:
        """Return the next reply of any task, or its loss; None after a while without either."""
        while not self._ready:
            by_stream = {stream: worker for worker, stream in self._streams.items()}
            if not self._ray.wait(list(by_stream), num_returns=1, timeout=_SECONDS_BETWEEN_LOOKS)[0]:
                return None
            ready, _ = self._ray.wait(list(by_stream), num_returns=len(by_stream), timeout=0)
            self._ready.extend(by_stream[stream] for stream in ready)
        worker = self._ready.popleft()
        value = self._value(worker)
        if isinstance(value, NodeInfo):
            self._greeted(worker, value)
            return None
        if isinstance(value, WorkerLost) or value.fields["is"] == "done":
            del self._streams[worker]
        return value._replace(worker=worker) if isinstance(value, WorkerLost) else Reply(worker, value)

    def kill(self, worker: int) -> None:
        """Kill a task; it is then lost."""
        self._ray.cancel(self._streams[worker], force=True)

    def retire(self, worker: int) -> None:
        """Do nothing: the task has ended."""

    def close(self) -> None:
        """End all tasks, even busy ones."""
        for stream in self._streams.values():
            self._ray.cancel(stream, force=True)
        self._streams.clear()

    def _value(self, worker: int) -> NodeInfo | Message | WorkerLost:
        """Return the next value of a task; an error of Ray is how it was lost."""
        try:
            value: NodeInfo | Message | WorkerLost = self._ray.get(next(self._streams[worker]))
        except StopIteration:
            return WorkerLost(worker, "its Ray task ended before the evaluation did")
        except self._ray.exceptions.RayError as error:
            return self._lost(worker, error)
        return value

    def _lost(self, worker: int, error: Exception) -> WorkerLost:
        errors, text = self._ray.exceptions, _one_line(error)
        if isinstance(error, (errors.NodeDiedError, errors.ObjectLostError)):
            return WorkerLost(worker, f"its node was lost: {text}", is_blameless=True)
        if isinstance(error, errors.WorkerCrashedError):  # evaluations have processes of their own
            return WorkerLost(worker, "its Ray worker ended unexpectedly", is_blameless=True)
        if isinstance(getattr(error, "cause", None), ImportError):
            raise UsageError(
                f"A node cannot run evaluations: {text}. Install the same packages on every node."
            )
        return WorkerLost(worker, f"Ray ended it: {text}", of_environment=True)

    def _greeted(self, worker: int, hello: NodeInfo) -> None:
        self._hello[worker] = hello
        self._nodes[self._models[worker]] = hello.node_id
        if hello.differences:
            raise UsageError(
                f"The node {hello.host} has other packages than this machine: "
                f"{', '.join(hello.differences)}. Install the same versions on every node: results would "
                "be kept as those of the versions here."
            )

    def _room(self) -> int:
        return self._shipping.needs.room(self._ray.nodes())

    def _strategy(self, model: str) -> Any:
        """Prefer the node that has opened the model; go elsewhere if it is busy or gone."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        node = self._nodes.get(model)
        if node is None:
            return "DEFAULT"
        return NodeAffinitySchedulingStrategy(node, soft=True, _spill_on_unavailable=True)


def _one_line(error: BaseException) -> str:
    return " ".join(str(getattr(error, "cause", None) or error).split())[:300] or type(error).__name__
