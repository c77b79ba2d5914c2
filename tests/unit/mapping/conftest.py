import pytest

from integrationhub.mapping.compile import CompiledMapping, Mapping
from integrationhub.mapping.tables import Layout, layout_of
from integrationhub.records import CanonicalBatch
from tests.unit.mapping.extract import CONTEXT, SAMPLE, SPECS, Extract, decoded


@pytest.fixture(scope="session")
def layout() -> Layout:
    return layout_of(Extract().decoded().tables)


@pytest.fixture(scope="session")
def csa1993(layout: Layout) -> CompiledMapping:
    return Mapping.of_folder(SPECS).compile(layout)


@pytest.fixture(scope="session")
def sample(csa1993: CompiledMapping) -> CanonicalBatch:
    return csa1993.apply(decoded(SAMPLE.read_bytes()), CONTEXT)
