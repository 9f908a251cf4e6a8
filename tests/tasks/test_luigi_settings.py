"""Luigi's events, notifications and configuration work for these tasks as for any."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.scheduler import Scheduler

from pipeline import BatchReport, JoinedTable, SecondOpinionError, load_manifest, run_batch
from tests.support.builders import batch_of, clips, run_manifest, table_entry, write_jsonl, write_manifest
from tests.support.processes import luigid, until

EVENTS = ("START", "PROGRESS", "SUCCESS", "FAILURE", "PROCESSING_TIME")


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """Sets options of Luigi's configuration, for the length of a test."""
    settings: Any = luigi.configuration.get_config()
    before = {section: dict(settings.items(section)) for section in settings.sections()}

    def set_options(section: str, **options: object) -> None:
        for name, value in options.items():
            settings.set(section, name, str(value))

    yield set_options
    for section in settings.sections():
        settings.remove_section(section)
    for section, options in before.items():
        settings.add_section(section)
        for name, value in options.items():
            settings.set(section, name, value)


@pytest.fixture
def events() -> Iterator[list[tuple[str, str]]]:
    """Names of the events that tables trigger, each with the table."""
    seen: list[tuple[str, str]] = []
    handlers = []
    for name in EVENTS:

        def note(task: Any, *_details: object, name: str = name) -> None:
            table = task if isinstance(task, JoinedTable) else _details[0]
            seen.append((name, str(table.table)))  # type: ignore[attr-defined]  # FAILURE and times give the task first

        event = getattr(luigi.Event, name)
        JoinedTable.event_handler(event)(note)
        handlers.append((event, note))
    yield seen
    for event, note in handlers:
        JoinedTable.remove_event_handler(event, note)


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, list[str]]]:
    """Subject, message and recipients of what Luigi would send."""
    sent: list[tuple[str, str, list[str]]] = []

    def send(_sender: str, subject: str, message: str, recipients: list[str], _image: object) -> None:
        sent.append((subject, message, recipients))

    monkeypatch.setattr("luigi.notifications.send_email_smtp", send)
    return sent


def half_failing(folder: Path) -> Path:
    """A batch of the tables a and b; a score of b is no number."""
    manifest = batch_of(folder, "ab")
    write_jsonl(folder / "b.dover.jsonl", clips("c0", score="good"))
    return manifest


def test_events(tmp_path: Path, events: list[tuple[str, str]]) -> None:
    """A table that is joined triggers START, PROGRESS, SUCCESS and its time; one that fails triggers FAILURE."""
    run_manifest(half_failing(tmp_path))
    of_a = [name for name, table in events if table == "a"]
    assert of_a[0] == "START"
    assert "PROGRESS" in of_a
    assert of_a[-2:] == ["PROCESSING_TIME", "SUCCESS"]
    assert {name for name, table in events if table == "b"} >= {"START", "FAILURE"}


def test_mail_after_a_failure(
    tmp_path: Path, configure: Callable[..., None], mails: list[tuple[str, str, list[str]]]
) -> None:
    """With [email] set, each table that fails is mailed, with the message of its failure."""
    configure("email", receiver="team@example.org", force_send=True, format="plain")
    run_manifest(half_failing(tmp_path))
    ((subject, message, recipients),) = mails
    assert "JoinedTable" in subject
    assert "table=b" in message.replace(" ", "") or "table=b" in subject
    assert "field score: found 'good'" in message
    assert recipients == ["team@example.org"]


class Mails(socketserver.ThreadingTCPServer):
    """An SMTP server, as far as Luigi needs one; keeps the lines of all mails."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.lines: list[str] = []


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Answer each command with success, and keep the mail."""
        assert isinstance(self.server, Mails)
        self.wfile.write(b"220 here\r\n")
        in_mail = False
        for line in self.rfile:
            if in_mail:
                self.server.lines.append(line.decode().rstrip())
                in_mail = line != b".\r\n"
                if in_mail:
                    continue
            in_mail = line.upper().startswith(b"DATA")
            self.wfile.write(b"354 go on\r\n" if in_mail else b"250 ok\r\n")


def test_mails_in_batches(tmp_path: Path) -> None:
    """With batch_emails a luigid sends one mail for the failures of an interval."""
    with Mails() as mails:
        threading.Thread(target=mails.serve_forever, daemon=True).start()
        sections = {
            "scheduler": {"batch_emails": "true"},
            "email": {"receiver": "team@example.org", "force_send": "true", "format": "plain"},
            "smtp": {"host": "127.0.0.1", "port": str(mails.server_address[1])},
            "batch_email": {"email_interval": "0", "batch_mode": "all"},
        }
        manifest = half_failing(tmp_path / "batch")
        with luigid(tmp_path / "luigid", sections) as server:
            for _ in range(2):  # a luigid sends when it is asked for work the next time
                assert run_manifest(manifest, scheduler=server.url).exit_code == 1
            until(lambda: any("1 failure" in line for line in mails.lines), "a mail about the failure")
        mails.shutdown()
    assert "To: team@example.org" in mails.lines


def test_retries(tmp_path: Path, configure: Callable[..., None], events: list[tuple[str, str]]) -> None:
    """With retry_count and keep_alive a table that fails is tried again within the run, as often as that."""
    configure("scheduler", retry_count=3, retry_delay=0)
    configure("worker", keep_alive=True)
    assert run_manifest(half_failing(tmp_path)).exit_code == 1
    assert events.count(("FAILURE", "b")) == 3
    assert events.count(("START", "a")) == 1


def test_resources(tmp_path: Path) -> None:
    """Tables that take the same resource are joined one after another, and others beside them."""
    tables = [table_entry(name, resources={"scorer_disk": 1}) for name in "ab"]
    batch_of(tmp_path, "abc")
    batch = load_manifest(write_manifest(tmp_path / "m.json", [*tables, table_entry("c")]))
    a, b, c = BatchReport.of(batch).requires()
    assert [each.process_resources() for each in (a, b, c)] == [{"scorer_disk": 1}, {"scorer_disk": 1}, {}]
    scheduler = Scheduler(resources={"scorer_disk": 1})
    for task in (a, b, c):
        scheduler.add_task(worker="w", task_id=task.task_id, resources=task.process_resources(), params={})
    taken = [scheduler.get_work(worker="w")["task_id"] for _ in range(3)]
    assert {a.task_id, b.task_id} - {*taken}
    assert c.task_id in taken
    assert run_batch(batch, workers=2).exit_code == 0


def test_resources_that_are_no_amounts(tmp_path: Path) -> None:
    """A resource is a positive whole number; anything else is a fault of the manifest."""
    batch_of(tmp_path, "a")
    manifest = write_manifest(tmp_path / "m.json", [table_entry("a", resources={"disk": 0})])
    with pytest.raises(SecondOpinionError, match=r"resources.disk: found 0; expected"):
        load_manifest(manifest)
