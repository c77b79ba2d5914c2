import pytest

from tests.services.choice import Machine, MissingServiceError, Way, answers, choose


class Engine:
    def __init__(self, reply: object) -> None:
        self.reply = reply

    def ping(self) -> object:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def no_client() -> Engine:
    raise ConnectionError("no socket")


BARE = Machine(docker_answers=False, root=False, apt=False)
DEBIAN_ROOT = Machine(docker_answers=False, root=True, apt=True)
DOCKER = Machine(docker_answers=True, root=True, apt=True)


def test_an_engine_that_answers_its_ping_counts() -> None:
    assert answers(lambda: Engine(reply=True))


@pytest.mark.parametrize("reply", [False, None, ConnectionError("refused"), PermissionError("socket")])
def test_an_engine_that_does_not_answer_its_ping_counts_as_none(reply: object) -> None:
    assert not answers(lambda: Engine(reply))


def test_a_client_that_cannot_be_made_counts_as_no_engine() -> None:
    assert not answers(no_client)


@pytest.mark.parametrize(
    ("machine", "installed", "way"),
    [
        (DOCKER, True, Way.CONTAINER),
        (DOCKER, False, Way.CONTAINER),
        (BARE, True, Way.INSTALLED),
        (DEBIAN_ROOT, True, Way.INSTALLED),
        (DEBIAN_ROOT, False, Way.APT),
    ],
)
def test_docker_comes_first_then_the_binary_then_apt(machine: Machine, installed: bool, way: Way) -> None:
    assert choose("RabbitMQ", "rabbitmq-server", installed=installed, machine=machine) is way


def test_without_root_the_error_gives_the_command_to_run() -> None:
    user = Machine(docker_answers=False, root=False, apt=True)
    with pytest.raises(MissingServiceError, match="apt-get install --no-install-recommends postgresql"):
        choose("PostgreSQL", "postgresql", installed=False, machine=user)


def test_without_apt_the_error_names_the_server_and_its_package() -> None:
    with pytest.raises(MissingServiceError, match=r"install: RabbitMQ \(package rabbitmq-server\)"):
        choose("RabbitMQ", "rabbitmq-server", installed=False, machine=BARE)
