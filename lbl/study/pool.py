"""Many films at once: the cores of this machine, or the workers of a Dask cluster, by one call.

The only importer of joblib and of Dask. Must never lose a film that is grown.
"""

import tempfile
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from lbl import __version__
from lbl.errors import BadInput, Fault, Problem, short
from lbl.run.mailbox import ignore_interrupts
from lbl.study.case import Case, Film
from lbl.study.film import grow

T = TypeVar("T")
PATIENCE_S: Final = 10.0  # for a cluster's first answer


def grown(
    cases: Sequence[Case], *, jobs: int = 0, cluster: str = "", keep: str = ""
) -> Generator[Film, None, None]:
    """The films of the cases, each as soon as it is there, in any order.

    `jobs` processes, 0 for one a core; 1 needs neither joblib nor another process. `cluster` is
    the address of a Dask scheduler, such as tcp://host:8786, and then `jobs` is not looked at.
    Raises BadInput `study-extra`, `study-cluster` before anything grows.
    """
    if jobs == 1 and not cluster:
        yield from (grow(number, case, keep) for number, case in enumerate(cases, 1))
        return
    joblib = _joblib()
    if cluster:
        calls = (joblib.delayed(grow)(number, case, keep) for number, case in enumerate(cases, 1))
        with _connected(cluster), joblib.parallel_config(backend="dask"):
            yield from _each(joblib.Parallel(**_STREAM)(calls), f"the cluster at {cluster}")
        return
    workers = min(jobs or joblib.cpu_count(), max(1, len(cases)))
    # A worker that is killed leaves its film half grown; whoever began it clears the table.
    with tempfile.TemporaryDirectory(prefix="lbl-study-", ignore_cleanup_errors=True) as scratch:
        calls = (
            joblib.delayed(grow)(number, case, keep, scratch)
            for number, case in enumerate(cases, 1)
        )
        # One film a task: rows reach the disk as they are grown, and no worker waits for a batch.
        made = joblib.Parallel(
            n_jobs=workers, backend="loky", batch_size=1, initializer=ignore_interrupts, **_STREAM
        )
        yield from _each(made(calls), "a worker process")


_STREAM: Final[dict[str, Any]] = {"return_as": "generator_unordered"}


def spread(
    call: Callable[..., T], tasks: Iterable[tuple[Any, ...]], jobs: int
) -> Generator[T, None, None]:
    """`call(*task)` of every task on so many processes of this machine, each as soon as it is done.

    `jobs` 0 is one a core; 1 needs neither joblib nor another process. Tasks are drawn as they are
    needed. Raises BadInput `study-extra`, Fault `study-worker`.
    """
    if jobs == 1:
        yield from (call(*task) for task in tasks)
        return
    joblib = _joblib()
    made = joblib.Parallel(
        n_jobs=jobs or joblib.cpu_count(), backend="loky", batch_size=1,
        initializer=ignore_interrupts, **_STREAM,
    )  # fmt: skip
    yield from _each(made(joblib.delayed(call)(*task) for task in tasks), "a worker process")


def _each(films: Generator[T, None, None], who: str) -> Iterator[T]:
    """What some workers make; raises Fault `study-worker` when a worker dies."""
    try:
        # `yield from` would close the inner one, warnings and all, when somebody leaves early
        for film in films:  # noqa: UP028
            yield film
    except Exception as error:  # a film's own troubles are rows; what comes here is a worker's
        sentence = f"{who} failed: {type(error).__name__}: {short(error)}"
        remedy = "is there memory enough? fewer --jobs need less"
        raise Fault(Problem("study-worker", sentence, remedy=remedy)) from error
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib's advice to those who leave early
            films.close()  # what has not begun is not grown


def _joblib() -> Any:
    try:
        import joblib
    except ImportError:
        sentence = "joblib, which spreads films over the cores, is not installed"
        remedy = "pip install 'lbl[study]', or say --jobs 1"
        raise BadInput(Problem("study-extra", sentence, "--jobs", remedy)) from None
    return joblib


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """A cluster whose workers can grow our films."""
    try:
        import distributed
    except ImportError:
        remedy = "pip install 'lbl[cluster]'"
        sentence = "Dask's scheduler client is not installed"
        raise BadInput(Problem("study-extra", sentence, "--cluster", remedy)) from None
    connect: Any = distributed.Client
    try:
        client = connect(address, timeout=PATIENCE_S, set_as_default=True)
    except (OSError, ValueError, TypeError) as error:
        sentence = f"no Dask scheduler answers at {address}: {error}"
        remedy = "give an address like tcp://host:8786"
        raise BadInput(Problem("study-cluster", sentence, "--cluster", remedy)) from None
    with client:
        _alike(client, address)
        yield


def _alike(client: Any, address: str) -> None:
    """Refuse workers that have another lbl, or none."""
    remedy = f"install lbl {__version__} where the workers run"
    try:
        versions = client.run(version)
    except Exception as error:  # whatever the other side could not import
        sentence = f"the workers at {address} have no lbl: {error}"
        raise BadInput(Problem("study-cluster", sentence, "--cluster", remedy)) from None
    others = ", ".join(sorted(set(versions.values()) - {__version__}))
    if not versions:
        sentence, remedy = f"the cluster at {address} has no workers", "start some: dask worker"
        raise BadInput(Problem("study-cluster", sentence, "--cluster", remedy))
    if others:
        sentence = f"the workers at {address} have lbl {others}, and this is {__version__}"
        raise BadInput(Problem("study-cluster", sentence, "--cluster", remedy))


def version() -> str:
    """The lbl of a worker."""
    return __version__
