"""The public data sets, unchanged, with the published number of rows; what is inferred is what a person sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertwright.data.answers import Label
from bertwright.data.examples import label_of
from bertwright.data.inspection.ledger import examine
from bertwright.data.reading.example_sources import read_examples, stream_examples
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError
from bertwright.tasks.classification import Classification

# file, examples, columns, classes, format, header, rows left out for the label `-`
FILES = [
    ("en/sst2/train.tsv", 67349, Columns("sentence", "label"), 2, "TSV", True, 0),
    ("en/sst2/dev.tsv", 872, Columns("sentence", "label"), 2, "TSV", True, 0),
    ("en/cola/train.tsv", 8551, Columns("4", "2"), 2, "TSV", False, 0),
    ("en/cola/dev.tsv", 1043, Columns("4", "2"), 2, "TSV", False, 0),
    ("en/mrpc/msr_paraphrase_train.txt", 4076, Columns("#1 String", "Quality", "#2 String"), 2, "TSV", True, 0),
    ("en/mrpc/test.tsv", 1725, Columns("#1 String", "Quality", "#2 String"), 2, "TSV", True, 0),
    ("en/rte/train.tsv", 2490, Columns("sentence1", "label", "sentence2"), 2, "TSV", True, 0),
    ("en/rte/dev.tsv", 277, Columns("sentence1", "label", "sentence2"), 2, "TSV", True, 0),
    ("en/agnews/train.tsv", 10001, Columns("1", "2"), 4, "TSV", False, 0),
    ("en/agnews/test.tsv", 7600, Columns("1", "2"), 4, "TSV", False, 0),
    ("en/imdb/train.jsonl.xz", 8000, Columns("text", "label"), 2, "JSON lines", None, 0),
    ("zh/chnsenticorp/train.tsv", 9600, Columns("text_a", "label"), 2, "TSV", True, 0),
    ("zh/chnsenticorp/dev.tsv", 1200, Columns("text_a", "label"), 2, "TSV", True, 0),
    ("zh/chnsenticorp/test.tsv", 1200, Columns("text_a", "label"), 2, "TSV", True, 0),
    ("zh/tnews/train.json.xz", 53360, Columns("sentence", "label"), 15, "JSON lines", None, 0),
    ("zh/tnews/dev.json", 10000, Columns("sentence", "label"), 15, "JSON lines", None, 0),
    ("zh/afqmc/train.csv", 34334, Columns("sentence1", "label", "sentence2"), 2, "CSV", True, 0),
    ("zh/afqmc/dev.csv", 4316, Columns("sentence1", "label", "sentence2"), 2, "CSV", True, 0),
    ("zh/lcqmc/dev.txt", 8802, Columns("1", "3", "2"), 2, "TSV", False, 0),
    ("zh/lcqmc/test.txt", 12500, Columns("1", "3", "2"), 2, "TSV", False, 0),
    ("zh/ocnli/train.10k.json", 9985, Columns("sentence1", "label", "sentence2"), 3, "JSON lines", None, 15),
    ("zh/ocnli/dev.json", 2950, Columns("sentence1", "label", "sentence2"), 3, "JSON lines", None, 50),
]


@pytest.mark.parametrize(("file", "count", "columns", "classes", "kind", "header", "undecided"), FILES)
def test_a_file_is_read_as_it_is(
    real_data: Path,
    file: str,
    count: int,
    columns: Columns,
    classes: int,
    kind: str,
    header: bool | None,
    undecided: int,
) -> None:
    table = Classification.read(real_data / file, labelled=True)
    assert (table.columns, table.format, table.header) == (columns, kind, header)
    assert len(table.examples) == count
    assert len({label_of(example) for example in table.examples}) == classes
    assert len(table.undecided) == undecided
    assert not table.empty
    assert not table.unlabelled


def test_quotes_of_glue_stay_and_quotes_of_a_spreadsheet_go(real_data: Path) -> None:
    mrpc = read_examples(real_data / "en/mrpc/msr_paraphrase_train.txt", labelled=True)
    assert (mrpc.encoding, mrpc.remarks) == ("utf-8-sig", ("quotes are ordinary characters",))
    assert mrpc.examples[0].text_b is not None
    assert mrpc.examples[0].text_b.startswith('Referring to him as only "the witness", Amrozi')
    news = read_examples(real_data / "en/agnews/train.tsv", labelled=True)
    assert news.remarks == ("quotes enclose fields",)
    assert news.examples[35].text.startswith(
        'Iraqi interim Prime Minister Ayad Allawi said on Tuesday "major neglect" by'
    )


def test_the_summary_says_what_was_inferred(real_data: Path) -> None:
    file = real_data / "en/cola/train.tsv"
    assert read_examples(file, labelled=True).summary() == (
        f"{file} (utf-8): 8,551 examples, text from column 4, labels from column 2; TSV without a header; "
        "quotes are ordinary characters"
    )
    assert (
        "; 50 rows with the label '-' left out: "
        in Classification.read(real_data / "zh/ocnli/dev.json", labelled=True).summary()
    )


def test_a_stream_has_every_row_and_finds_the_texts_without_labels(real_data: Path) -> None:
    for file, count, columns, *_, undecided in FILES:
        if "train" not in file:
            found, examples = stream_examples(real_data / file)
            assert (found.text, found.text_b) == (columns.text, columns.text_b)
            assert sum(1 for _ in examples) == count + undecided


def test_similarities_are_no_classes(real_data: Path) -> None:
    with pytest.raises(BertwrightError, match=r"BW223: .*train.tsv:3: the label '3.800'.*'score'"):
        Classification.read(real_data / "en/stsb/train.tsv", labelled=True)
    assert read_examples(real_data / "en/stsb/train.tsv", labelled=True).examples[1].answer == Label("3.800")
    table = read_examples(real_data / "en/stsb/train.tsv", Columns(label="genre"), labelled=True)
    assert len({label_of(example) for example in table.examples}) == 3


@pytest.mark.parametrize("file", ["zh/cluener/dev.json", "zh/c3/dev.json", "en/squad/dev-v1.1.json.xz"])
def test_data_of_other_tasks_is_refused(real_data: Path, file: str) -> None:
    with pytest.raises(BertwrightError, match=r"BW22[146]|BW219"):
        read_examples(real_data / file, labelled=True)


def test_what_the_ledger_finds(real_data: Path) -> None:
    train = read_examples(real_data / "zh/tnews/train.json.xz", labelled=True)
    dev = read_examples(real_data / "zh/tnews/dev.json", labelled=True)
    found = {(finding.kind, finding.message[:3]): finding for finding in examine(train, dev).findings}
    assert len(found["overlap", "dev"].places) == 1099
    assert "203 with another label" in found["overlap", "dev"].message
    assert len(found["contradictions", "tra"].places) == 550
    assert "(5955 to 257)" in found["imbalance", "tra"].message
