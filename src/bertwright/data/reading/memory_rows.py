"""What is already in memory to rows: data frames, `datasets` objects, lists of mappings, tuples or texts.

The libraries are known by what their objects can do; none of them is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from bertwright.data.examples import Where
from bertwright.data.reading.rows import Fields, Row, Rows
from bertwright.errors import BertwrightError
from bertwright.wording import said, shown


def read_memory(source: Any, name: str, *, labelled: bool, pair: bool | None) -> Rows:
    """The rows of `source`; a place such as `train:17` is the 17th row.

    Takes a pandas or polars data frame, a `datasets.Dataset` or `IterableDataset`, or any iterable of mappings, of
    tuples (a text, for pairs a second one, and a label), or of texts.

    Raises:
        BertwrightError: BW205 nothing in it; BW233 another kind of thing, among the rows too.
    """
    if hasattr(source, "itertuples") and hasattr(source, "columns"):
        names = tuple(str(column) for column in source.columns)
        return Rows(name, "pandas data frame", _numbered(source.itertuples(index=False, name=None), name), names)
    if hasattr(source, "iter_rows") and hasattr(source, "columns"):
        return Rows(name, "polars data frame", _numbered(source.iter_rows(), name), tuple(source.columns))
    if getattr(source, "features", None) is not None and hasattr(source, "with_format"):
        names = tuple(source.column_names)
        return Rows(name, "datasets object", _numbered(_of_dataset(source), name), names)
    # A mapping is one row, or the splits of a `DatasetDict`: not what is to be read.
    if isinstance(source, (bytes, bytearray, Mapping)) or not isinstance(source, Iterable):
        raise BertwrightError("BW233", source=name, kind=type(source).__name__)
    return _of_iterable(iter(source), name, labelled=labelled, pair=pair)


def _numbered(rows: Iterable[Fields], name: str) -> Iterator[Row]:
    for number, fields in enumerate(rows, start=1):
        yield Where(name, number), fields


def _of_dataset(dataset: Any) -> Iterator[Fields]:
    """Rows of a `datasets` object; numbers of classes become the names that it has for them, in lists, too."""
    order = dataset.column_names
    convert = [_converter(dataset.features[name]) for name in order]
    for batch in dataset.with_format(None).iter(batch_size=1000):
        for fields in zip(*(batch[name] for name in order)):
            yield [convert_one(value) for convert_one, value in zip(convert, fields)]


def _as_it_is(value: Any) -> Any:
    return value


def _converter(feature: Any) -> Callable[[Any], Any]:
    names = getattr(feature, "names", None)
    if isinstance(names, list):
        return _namer(names)
    inside = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    names = getattr(inside, "names", None)
    if not isinstance(names, list):
        return _as_it_is
    convert = _namer(names)
    return lambda values: None if values is None else [convert(value) for value in values]


def _namer(names: Sequence[str]) -> Callable[[Any], str | None]:
    # -1 stands for the missing labels of a test set.
    return lambda value: names[value] if isinstance(value, int) and value >= 0 else None


def _of_iterable(items: Iterator[Any], name: str, *, labelled: bool, pair: bool | None) -> Rows:
    begun = list(islice(items, 1))
    if not begun:
        raise BertwrightError("BW205", source=name)
    first = begun[0]
    items = chain(begun, items)
    if isinstance(first, str):
        return Rows(name, "texts", _checked(items, name, str), ("text",))
    if isinstance(first, Mapping):
        return Rows(name, "mappings", _checked(items, name, Mapping))
    if isinstance(first, Sequence) and not isinstance(first, (bytes, bytearray)):
        names, remarks = _positions(first, labelled=labelled, pair=pair)
        return Rows(name, "tuples", _checked(items, name, Sequence), names, remarks=remarks)
    raise BertwrightError("BW233", source=f"{name}:1", kind=type(first).__name__)


def _checked(items: Iterator[Any], name: str, kind: type[Any]) -> Iterator[Row]:
    """Items of one kind; a text is a row of one field, never the sequence of its characters."""
    for number, item in enumerate(items, start=1):
        where, is_text = Where(name, number), isinstance(item, str)
        if not isinstance(item, kind) or isinstance(item, bytes) or is_text != (kind is str):
            raise BertwrightError("BW233", source=where, kind=type(item).__name__)
        yield where, [item] if is_text else item


def _positions(
    first: Sequence[Any], *, labelled: bool, pair: bool | None
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The names of the fields of a tuple, which go by their order; None where there are too many for that."""
    with_label = {1: ("text",), 2: ("text", "label"), 3: ("text", "text_b", "label")}
    if pair and not labelled:
        with_label[2] = ("text", "text_b")
    names = with_label.get(len(first))
    if names == ("text", "label") and isinstance(first[1], str) and not isinstance(first[0], str):
        return ("label", "text"), (said("the label comes first in every tuple, as in {one}", one=shown(first, 1)),)
    return names, ()
