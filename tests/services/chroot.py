"""RabbitMQ of a newer Debian, in a chroot of its own: for the tests that say what changes between versions.

`python -m tests.services rabbit4 DIR` makes the chroot, once; INTEGRATIONHUB_TEST_RABBITMQ_CHROOT=DIR has the tests use
it. A chroot shares the network and the process ids of this machine, so everything else is as with an installed server.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tests.services.choice import MissingServiceError
from tests.services.processes import own_directory, remove
from tests.services.rabbitmq import InstalledRabbit

SUITE = "trixie"
SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
VARIABLE = "INTEGRATIONHUB_TEST_RABBITMQ_CHROOT"


def chroot_of_tests() -> Path | None:
    """The chroot that this run's tests shall use, if any."""
    named = os.environ.get(VARIABLE)
    return Path(named).resolve() if named else None


def mirror() -> str:
    """Where this machine's apt has Debian from."""
    command = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    found = [line.removeprefix("Debian ") for line in told if line.startswith("Debian ")]
    if not found:
        raise MissingServiceError("This machine's apt knows no Debian mirror: run `apt-get update` first.")
    return found[0]


def make(folder: Path) -> None:
    """Debian 13 with its RabbitMQ in a folder; MissingServiceError says why not."""
    if (folder / SCRIPT.relative_to("/")).exists():
        return
    if os.geteuid() != 0:
        raise MissingServiceError("A chroot can be made by root only: run `make test-rabbit4` as root.")
    if shutil.which("debootstrap") is None:
        raise MissingServiceError("debootstrap is missing: apt-get install debootstrap")
    folder.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", "--include=rabbitmq-server", SUITE, str(folder), mirror()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().rpartition("\n")[2]
        shutil.rmtree(folder, ignore_errors=True)
        raise MissingServiceError(
            f"debootstrap could not make a chroot of Debian {SUITE} in {folder}: {last}\n"
            "It needs root, device nodes and a Debian mirror; a container without the capability MKNOD has no way."
        )


class ChrootRabbit(InstalledRabbit):
    """RabbitMQ from the binaries of a chroot."""

    def _find_script(self) -> Path:
        return SCRIPT

    def _command(self, program: Path, *arguments: str) -> list[str]:
        root = chroot_of_tests()
        assert root is not None
        return ["chroot", str(root), str(program), *arguments]

    def _make_directory(self) -> Path:
        """A directory that has one path inside and outside."""
        root = chroot_of_tests()
        assert root is not None
        path = own_directory("rabbitmq")
        self._inside = root / path.relative_to("/")
        self._inside.mkdir(parents=True, mode=0o711)
        path.rmdir()
        path.symlink_to(self._inside)
        return path

    def _write_files(self, peer: InstalledRabbit | None) -> None:
        super()._write_files(peer)
        with (self.directory / "rabbitmq.conf").open("a") as stream:
            # A chroot has no /proc: the node neither sees the machine's memory nor its own.
            stream.write("total_memory_available_override_value = 2GB\nvm_memory_calculation_strategy = erlang\n")

    def _remove_directory(self) -> None:
        self.directory.unlink()
        remove(self._inside)
