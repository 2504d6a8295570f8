"""One process has a data directory, until it lets go or dies."""

import os
import signal
import subprocess
import sys

import pytest

from affwire.errors import Conflict, Refused
from affwire.store.datadir import DataDir

HOLD = (
    "import sys; from pathlib import Path; from affwire.store.datadir import DataDir\n"
    "lock = DataDir(Path(sys.argv[1])).lock(); print('held', flush=True); sys.stdin.read()"
)


def test_a_missing_directory_is_made_for_its_owner_alone(tmp_path):
    data = DataDir(tmp_path / "deep" / "data")
    with data.lock():
        assert data.path.stat().st_mode & 0o777 == 0o700
        assert data.lock_file.stat().st_mode & 0o777 == 0o600


def test_a_second_lock_is_refused_and_says_what_to_do(tmp_path):
    data = DataDir(tmp_path)
    with data.lock(), pytest.raises(Conflict, match="AFFWIRE_DATA_DIR") as caught:
        data.lock()
    assert caught.value.code == "data_dir_locked"
    assert caught.value.facts == {"path": str(tmp_path), "process": str(os.getpid())}


def test_a_released_directory_can_be_taken_again(tmp_path):
    lock = DataDir(tmp_path).lock()
    lock.release()
    lock.release()
    with DataDir(tmp_path).lock():
        pass


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="data_dir_unusable"):
        DataDir(tmp_path / "file" / "data").lock()


def test_a_killed_process_leaves_the_directory_free(tmp_path):
    command = [sys.executable, "-c", HOLD, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(Conflict, match=f"process {child.pid}"):
            DataDir(tmp_path).lock()
        child.send_signal(signal.SIGKILL)
        child.wait()
        with DataDir(tmp_path).lock():
            pass
