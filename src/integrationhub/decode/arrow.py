"""numpy arrays as Arrow's, without a copy."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array: TypeAlias = "pa.Array[Any]"


def buffer_of(values: npt.NDArray[Any]) -> pa.Buffer:
    """The memory of an array, which must lie in C order."""
    memory: Any = values
    return pa.py_buffer(memory) if values.size else pa.py_buffer(b"")


def bitmap(valid: npt.NDArray[np.bool_]) -> pa.Buffer:
    """Arrow's validity bits of a mask."""
    return buffer_of(np.packbits(valid, bitorder="little"))
