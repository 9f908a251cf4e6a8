"""The events of a batch and of its tasks, as JSON objects of the OpenLineage specification.

Source: https://openlineage.io/spec/2-0-2/OpenLineage.json; the facets are built by the client's own classes.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from .. import __version__
from ..manifest.batch import Batch
from ..records.versions import versions
from ..storage import filenames
from ..storage.jsontext import JsonObject
from . import settings

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

EndState: TypeAlias = Literal["COMPLETE", "FAIL", "ABORT"]
PRODUCER = f"pkg:pypi/second-opinion@{__version__}"
_Built = TypeVar("_Built")

Datasets: TypeAlias = dict[str, list[JsonObject]]
"""The `inputs` and `outputs` of an event."""


def batch_started(batch: Batch) -> JsonObject:
    """START of a new run of a batch; its job is named by the manifest's absolute path."""
    return _start(_name(batch), "DAG", {})


def task_started(batch: Batch, parent: JsonObject, task: str, datasets: Datasets) -> JsonObject:
    """START of a new run of a task.

    :param parent: the START of its batch.
    :param task: its name within the batch.
    """
    from openlineage.client.facet_v2 import parent_run

    of = parent_run.ParentRunFacet(
        run=parent_run.Run(parent["run"]["runId"]),
        job=parent_run.Job(parent["job"]["namespace"], parent["job"]["name"]),
        producer=PRODUCER,
    )
    return _start(job_name(batch, task), "TASK", {"parent": of}) | datasets


def ended(
    start: JsonObject, state: EndState, message: str = "", datasets: Datasets | None = None
) -> JsonObject:
    """The end of the run that began with `start`.

    :param message: why it failed or was interrupted; empty: nothing to say.
    :param datasets: what is known of inputs and outputs by now; None: what was known at the start.
    """
    from openlineage.client.facet_v2 import error_message_run

    facets = dict(start["run"]["facets"])
    if message:
        facets["errorMessage"] = to_json(facet(error_message_run.ErrorMessageRunFacet, message, "python"))
    run = start["run"] | {"facets": facets}
    return {**start, "eventType": state, "eventTime": _now(), "run": run, **(datasets or {})}


def of_json(event: JsonObject) -> RunEvent:
    """The client's object for an event."""
    from openlineage.client import event_v2

    job = event["job"]
    return event_v2.RunEvent(
        eventType=event_v2.RunState(event["eventType"]),
        eventTime=event["eventTime"],
        producer=PRODUCER,
        run=event_v2.Run(event["run"]["runId"], dict(event["run"]["facets"])),
        job=event_v2.Job(job["namespace"], job["name"], dict(job["facets"])),
        inputs=[event_v2.InputDataset(**each) for each in event["inputs"]],
        outputs=[event_v2.OutputDataset(**each) for each in event["outputs"]],
    )


def facet(kind: Callable[..., _Built], *values: Any, **named: Any) -> _Built:
    """A facet that names this project as its producer."""
    return kind(*values, producer=PRODUCER, **named)


def to_json(built: object) -> JsonObject:
    """An object of the client as JSON, without members that have no value."""
    from openlineage.client.serde import Serde

    return Serde.to_dict(built)


def job_name(batch: Batch, task: str) -> str:
    """The name of a task's job."""
    return f"{_name(batch)}.{task}"


def _start(name: str, job_type: str, run_facets: dict[str, Any]) -> JsonObject:
    from openlineage.client import event_v2
    from openlineage.client.facet_v2 import job_type_job, processing_engine_run
    from openlineage.client.uuid import generate_new_uuid

    engine = facet(processing_engine_run.ProcessingEngineRunFacet, versions()["luigi"], "Luigi", __version__)
    kind = facet(job_type_job.JobTypeJobFacet, "BATCH", "LUIGI", job_type)
    event = event_v2.RunEvent(
        eventType=event_v2.RunState.START,
        eventTime=_now(),
        producer=PRODUCER,
        run=event_v2.Run(str(generate_new_uuid()), {"processing_engine": engine, **run_facets}),
        job=event_v2.Job(settings.namespace(), name, {"jobType": kind}),
    )
    return to_json(event)


def _name(batch: Batch) -> str:
    return str(filenames.resolved(batch.manifest.parent) / batch.manifest.name)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()
