"""A pool of workers, each with one request at a time, and one stream of their replies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from threading import Lock, Thread
from typing import NamedTuple, final

from assay.core.errors import AssayError
from assay.workers.channel import Message
from assay.workers.worker import MEMORY_HINT, OVER_HINT, Worker

RECEIVED = Message({"is": "received"})  # the first reply to every request
_TRIES = 2  # attempts to send a request, if its worker ends before it has received all of it
_SECONDS_TO_RECEIVE = 120.0
_SLOWEST = 10e6  # bytes per second
_SECONDS_TO_END = 10.0


class Reply(NamedTuple):
    """A message of a worker, about the request that it works on.

    Its field "is" tells what it is: "progress" (any number, which gain no time), "done" (the last one), or
    anything else.
    """

    worker: int
    message: Message


class WorkerLost(NamedTuple):
    """A worker that ended, or was ended, before it was done; the next request starts another.

    Attributes:
        limit: The seconds that it was not done in; None if it ended for another reason.
        of_environment: Whether the system seems to have ended it, as for want of memory.
        is_blameless: Whether it was lost with its machine, or with what starts processes there.
    """

    worker: int
    reason: str
    limit: float | None = None
    of_environment: bool = False
    is_blameless: bool = False


@final
class Pool:
    """Workers by number, started with their first request, and again after they were lost or retired.

    Args:
        count: How many there are.
        start: Starts a worker.
        greeting: What a new worker receives before its first request, given its number.
        time_limit: Seconds between two replies that are no progress; None for no limit.
    """

    def __init__(
        self,
        count: int,
        start: Callable[[], Worker],
        greeting: Callable[[int], Message],
        time_limit: float | None,
    ) -> None:
        self._count = count
        self._start = start
        self._greeting = greeting
        self._time_limit = time_limit
        self._requests: dict[int, Queue[Message | None]] = {}
        self._threads: list[Thread] = []
        self._workers: dict[int, Worker] = {}
        self._changing = Lock()
        self._is_closed = False
        self._replies: Queue[Reply | WorkerLost | BaseException] = Queue(
            maxsize=2 * count
        )  # a slow store waits

    def added(self) -> range:
        """Return the worker numbers on the first call, then nothing (see ``Workers.added``)."""
        count, self._count = self._count, 0
        return range(count)

    def place(self, worker: int) -> str:
        """Return nothing: they all work on this machine."""
        return ""

    def request(self, worker: int, message: Message) -> None:
        """Give a request to a worker, which must not be busy."""
        if worker not in self._requests:
            self._requests[worker] = Queue()
            self._threads.append(Thread(target=self._attend, args=(worker,), daemon=True))
            self._threads[-1].start()
        self._requests[worker].put(message)

    def retire(self, worker: int) -> None:
        """End a worker that is not busy; its next request starts another."""
        with self._changing:
            ended = self._workers.pop(worker, None)
        if ended is not None:
            ended.close()

    def kill(self, worker: int) -> None:
        """Kill a worker that is busy; it is then lost."""
        with self._changing:
            if worker in self._workers:
                self._workers[worker].kill()

    def next(self) -> Reply | WorkerLost:
        """Return what any worker replies next, or that it was lost; some worker must be busy."""
        reply = self._replies.get()
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def close(self) -> None:
        """End all workers, even busy ones."""
        with self._changing:
            self._is_closed = True
            for worker in self._workers.values():
                worker.kill()
        for requests in self._requests.values():
            requests.put(None)
        end = time.monotonic() + _SECONDS_TO_END
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < end:
            with suppress(Empty):
                self._replies.get(timeout=0.02)  # a thread may wait for room

    def _attend(self, number: int) -> None:
        """Pass requests to one worker and its replies on, in a thread of its own."""
        goes_on = True
        while goes_on:
            try:
                goes_on = self._pass_on(number, self._requests[number].get())
            except BaseException as error:
                self._replies.put(error)
        self.retire(number)

    def _pass_on(self, number: int, request: Message | None) -> bool:
        """Have a request worked on; return whether there was one."""
        reason, tries = "", _TRIES
        while request is not None and tries:
            try:
                worker = self._having_received(number, request)
            except (AssayError, OSError, _Ended) as error:  # nothing was begun: it can be sent again
                reason, tries = str(error), tries - 1
                continue
            request = None  # it may be large
            try:
                self._relay(number, worker)
            except _Ended as ended:
                for_memory = str(ended).endswith((MEMORY_HINT, OVER_HINT))
                self._replies.put(WorkerLost(number, str(ended), ended.limit, for_memory))
            return True
        if request is not None:
            self._replies.put(WorkerLost(number, reason))
        return request is not None

    def _having_received(self, number: int, request: Message) -> Worker:
        """Return a worker that has received the request; raise ``_Ended`` if it ends before."""
        worker, parts = self._workers.get(number), [request]
        if worker is None:
            worker = self._start()
            with self._changing:
                self._workers[number] = worker
                if self._is_closed:
                    worker.kill()
            parts.insert(0, self._greeting(number))
        size = sum(array.nbytes for part in parts for array in part.arrays.values())
        seconds = _SECONDS_TO_RECEIVE + size / _SLOWEST
        seconds = min(seconds, self._time_limit or seconds)
        deadline = time.monotonic() + seconds
        with self._noticing(number, f"it received nothing for {seconds:g} seconds and was stopped"):
            for part in parts:
                worker.channel.send(part, deadline)
            worker.channel.receive(deadline)
        return worker

    def _relay(self, number: int, worker: Worker) -> None:
        """Pass on what a worker replies until it is done; raise ``_Ended`` if it ends before."""
        limit, start = self._time_limit, time.monotonic()
        overdue = (
            f"it took longer than {limit or 0:g} seconds and was stopped: give it more time (time_limit), "
            "fewer examples, or a faster device"
        )
        kind = ""
        while kind != "done":
            with self._noticing(number, overdue, limit):
                message = worker.channel.receive(None if limit is None else start + limit)
            kind = str(message.fields.get("is"))
            self._replies.put(Reply(number, message))
            if kind != "progress":
                start = time.monotonic()

    @contextmanager
    def _noticing(self, number: int, overdue: str, limit: float | None = None) -> Iterator[None]:
        """End a worker that ends, or takes too long, and raise ``_Ended``."""
        try:
            yield
        except TimeoutError:
            self.retire(number)
            raise _Ended(overdue, limit) from None
        except EOFError:
            with self._changing:
                worker = self._workers.pop(number)
            raise _Ended(f"its process {worker.how_it_ended()}") from None


class _Ended(Exception):
    """A worker has ended; the message says how.

    Attributes:
        limit: The seconds that a job was not done in.
    """

    def __init__(self, how: str, limit: float | None = None) -> None:
        super().__init__(how)
        self.limit = limit
