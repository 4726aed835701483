"""A process is signalled only when its pid file proves that it is ours."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import processes
from sandbox.errors import SandboxError
from sandbox.processes import ProcessRecord

SLEEP = "/bin/sleep"
ENV = {"PATH": os.defpath}


@pytest.fixture
def pid_file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "it.pid"
    yield path
    processes.stop([path], grace=5)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that the sandbox did not start."""
    process = subprocess.Popen([SLEEP, "60"])
    yield process
    process.kill()
    process.wait()


def record_of(pid: int) -> ProcessRecord:
    """The truth about a process, as a pid file would tell it."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    ticks = int(processes.fields_after_name(stat)[22 - 3])
    return ProcessRecord(pid=pid, start_ticks=ticks, executable=os.readlink(f"/proc/{pid}/exe"))


def write(path: Path, record: ProcessRecord) -> None:
    path.write_text(f"{record.pid}\n{record.start_ticks}\n{record.executable}\n")


def sleeper(pid_file: Path, *argv: str) -> ProcessRecord:
    return processes.spawn(argv or (SLEEP, "60"), pid_file=pid_file, log=pid_file.with_suffix(".log"), env=ENV)


def test_a_command_name_with_spaces_and_parentheses_does_not_shift_the_fields() -> None:
    fields = " ".join(str(number) for number in range(4, 53))
    assert processes.fields_after_name(f"17 (a) b) c) S {fields}")[22 - 3] == "22"


@pytest.mark.parametrize("text", ["", "1", "12\n34\n", "12\nx\n/bin/a\n", "x\n34\n/bin/a\n", "12\n34\nsleep\n", "12\n34\n/a\n/b\n"])
def test_an_incomplete_pid_file_means_no_process(text: str) -> None:
    assert processes.parse_record(text) is None


def test_a_spawned_process_is_alive_until_it_is_stopped(pid_file: Path) -> None:
    record = sleeper(pid_file)
    assert processes.alive(record)
    assert os.getsid(record.pid) == record.pid, "Ctrl-C in the caller's terminal would end it"
    assert processes.read_record(pid_file) == record == record_of(record.pid)
    assert processes.memory(record.pid).rss_mib > 0
    assert 0 <= processes.uptime(record) < 30
    assert processes.stop([pid_file], grace=5) == ["it"]
    assert not processes.alive(record)
    assert not pid_file.exists()


@pytest.mark.parametrize("lie", [{"start_ticks": 1}, {"executable": "/usr/bin/etcd"}], ids=["younger", "other program"])
def test_a_recycled_pid_is_never_signalled(pid_file: Path, stranger: subprocess.Popen[bytes], lie: dict[str, Any]) -> None:
    truth = record_of(stranger.pid)
    stale = dataclasses.replace(truth, **lie)
    write(pid_file, stale)
    assert processes.alive(truth), "the check would be vacuous"
    assert not processes.send(stale, signal.SIGKILL)
    assert processes.stop([pid_file], grace=1) == []
    assert stranger.poll() is None
    assert not pid_file.exists(), "a stale pid file is cleaned up"


def test_a_process_that_ended_but_was_not_reaped_is_not_alive() -> None:
    child = subprocess.Popen([SLEEP, "60"])
    record = record_of(child.pid)
    child.kill()
    deadline = time.monotonic() + 5
    while processes.alive(record) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not processes.alive(record)
    assert Path(f"/proc/{child.pid}").exists(), "it was to be a zombie"
    child.wait()


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(pid_file: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    record = sleeper(pid_file, sys.executable, "-c", deaf)
    while "deaf" not in pid_file.with_suffix(".log").read_text():
        time.sleep(0.01)
    begun = time.monotonic()
    assert processes.stop([pid_file], grace=0.3) == ["it"]
    assert time.monotonic() - begun >= 0.3
    assert not processes.alive(record)


def test_nothing_to_stop_is_no_error(pid_file: Path) -> None:
    assert processes.stop([pid_file], grace=1) == []


def test_a_program_that_cannot_be_run_is_an_error(pid_file: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(SandboxError, match="no-such-program did not start"):
        sleeper(pid_file, "/no-such-program")
    assert time.monotonic() - begun < 5


def test_the_log_of_the_run_before_is_kept(pid_file: Path) -> None:
    for word in ("first", "second"):
        sleeper(pid_file, sys.executable, "-c", f"import time; print('{word}', flush=True); time.sleep(60)")
        log = pid_file.with_suffix(".log")
        while word not in log.read_text():
            time.sleep(0.01)
        processes.stop([pid_file], grace=5)
    assert log.read_text() == "second\n"
    assert log.with_suffix(".previous.log").read_text() == "first\n"


def test_a_process_stays_known_when_the_command_that_started_it_is_killed_at_once(pid_file: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from sandbox import processes
processes.read_record = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # the first thing after the start
pid_file = Path({str(pid_file)!r})
processes.spawn([{SLEEP!r}, "60"], pid_file=pid_file, log=pid_file.with_suffix(".log"), env={{}})
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while not processes.alive(processes.read_record(pid_file)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes.stop([pid_file], grace=5) == ["it"]
