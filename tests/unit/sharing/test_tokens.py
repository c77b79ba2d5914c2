"""Who may read."""

import json
from pathlib import Path

import pytest

from integrationhub.errors import ConfigurationError
from integrationhub.sharing.resources import shareable
from integrationhub.sharing.tokens import TokenBook, digest_of, new_token


def keys(folder: Path, tokens: object) -> Path:
    path = folder / "keys.json"
    path.write_text(json.dumps({"api_tokens": tokens}))
    return path


def test_a_token_is_known_by_its_digest_alone(tmp_path: Path) -> None:
    token = new_token()
    file = keys(tmp_path, {"portal": {"sha256": digest_of(token), "audience": "finance"}})
    assert token not in file.read_text()
    book = TokenBook.of_file(file)
    client = book.client(f"Bearer {token}")
    assert client is not None
    assert (client.name, client.audience) == ("portal", "finance")
    assert book.client(f"bearer {token}") == client
    assert {book.client(given) for given in (None, token, f"Basic {token}", f"Bearer {token}x", "Bearer \ud800")} == {
        None
    }


@pytest.mark.parametrize(
    "entry",
    [None, {"sha256": "x", "audience": "internal"}, {"sha256": "0" * 64}, {"sha256": "A" * 64, "audience": "finance"}],
)
def test_a_faulty_entry_is_refused_by_its_name(tmp_path: Path, entry: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TokenBook.of_file(keys(tmp_path, {"portal": entry}))
    assert "api_tokens.portal" in str(caught.value.faults)


def test_no_keys_file_lets_nobody_in() -> None:
    assert len(TokenBook.of_file(None)) == 0


@pytest.mark.parametrize(
    ("reference", "shared"),
    [("7000123466", True), ("DM0010000017", True), ("CS2-QQ123456A-1", False), ("QQ 12 34 56 A", False), (None, False)],
)
def test_only_references_that_are_not_personal_are_shared(reference: str | None, shared: bool) -> None:
    assert (shareable(reference) is not None) is shared
