"""Names, numbers, line ends and encodings: what ESPEI reads is accepted, what it cannot read is refused.

Compared with ESPEI's and pycalphad's own functions, up to where the chain begins.
"""

import contextlib
import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from espei.datasets import load_datasets, recursive_glob
from espei.error_functions.context import setup_context
from espei.espei_script import get_run_settings
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.utils import database_symbols_to_fit, unpack_piecewise
from hypothesis import strategies as st
from pycalphad import Database

from amounts import few_and_many, try_examples
from espei_hpc.errors import Refusal
from espei_hpc.inputs import check
from espei_hpc.likelihood import database_text
from unit.inputs.tiny_problem import DATABASE, INPUT, MIXING, MODELS, TinyProblem


def stock_begins(name: str) -> Any:
    """Read an input as ``espei`` does, until the walkers are placed; return the database."""
    with open(name) as file:
        settings = get_run_settings(yaml.safe_load(file) if name.endswith("yaml") else json.load(file))
    datasets = load_datasets(sorted(recursive_glob(settings["system"]["datasets"], "*.json")))
    with open(settings["system"]["phase_models"]) as file:
        models = json.load(file)
    mcmc = settings["mcmc"]
    database = Database(mcmc["input_db"])
    symbols = database_symbols_to_fit(database)
    setup_context(database, datasets, symbols, phase_models=models)
    initial = [unpack_piecewise(database.symbols[symbol]) for symbol in symbols]
    walkers = EmceeOptimizer.initialize_new_chains(
        initial, mcmc["chains_per_parameter"], mcmc["chain_std_deviation"], True
    )
    assert np.isfinite(walkers).all()  # as emcee does
    return Database(mcmc["input_db"])  # the other one may have been changed


@contextlib.contextmanager
def silently() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def outcome(begin: Callable[[str], Any]) -> Any:
    """Return what a function makes of the input, or what it raises."""
    with silently():
        try:
            return begin("x.yaml")
        except Exception as error:
            return error


def is_judged_like_stock(files: dict[str, bytes]) -> None:
    """Write a problem with these files in place of its own, and compare."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        TinyProblem(Path(name)).write()
        for file, content in files.items():
            Path(file).write_bytes(content)
        stock, ours = outcome(stock_begins), outcome(check)
        assert isinstance(stock, Exception) == isinstance(ours, Exception), (stock, ours)
        if isinstance(ours, Exception):
            assert isinstance(ours, Refusal)
        else:
            # And workers read what stock reads.
            assert database_text(Path(ours.settings["mcmc"]["input_db"])).read() == stock


def input_text(key: str, value: str) -> str:
    """The input with a value written as it is here."""
    content = {**INPUT, "mcmc": {**INPUT["mcmc"], key: "VALUE"}}
    return yaml.safe_dump(content).replace("VALUE", value)


stems = st.text("abcXYZ 019_-+é", min_size=1, max_size=6).filter(lambda stem: stem.strip() == stem)
suffixes = st.sampled_from(
    [
        "",
        ".",
        ".tdb",
        ".TDB",
        ".Tdb",
        ".txt",
        ".tdb.txt",
        ".tdb.bak",
        "_v1.2",
        ".dat",
        ".DAT",
        ".xml",
        ".json",
    ]
)
database_names = st.tuples(stems, suffixes).map("".join)
named_databases = database_names.map(
    lambda name: {"x.yaml": input_text("input_db", json.dumps(name)).encode(), name: DATABASE.encode()}
)

WHOLE = ["20", "+20", "2_0", "0x14", "024", "0o24", "1:20", "0b10100", "20.0", "2e1", "2.0e+1", "2E1", "'20'"]
FRACTIONS = [
    "0.1",
    ".1",
    "1.",
    "1e-1",
    "1.0e-1",
    "1E-1",
    "1.e-1",
    "'0.1'",
    "+.1",
    "1",
    "0,1",
    "10%",
    ".inf",
]
numbers = st.one_of(
    st.tuples(
        st.sampled_from(["iterations", "chains_per_parameter", "save_interval"]), st.sampled_from(WHOLE)
    ),
    st.tuples(st.just("chain_std_deviation"), st.sampled_from(FRACTIONS)),
).map(lambda pair: {"x.yaml": input_text(*pair).encode()})

FILES = {
    "x.yaml": yaml.safe_dump(INPUT),
    "models.json": json.dumps(MODELS, indent=1),
    "data/mixing.json": json.dumps(MIXING, indent=1),
    "start.tdb": DATABASE,
}
CHANGES = {
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
    "no end of the last line": lambda text: text.rstrip().encode(),
    "BOM": lambda text: text.encode("utf-8-sig"),
    "Ctrl-Z": lambda text: text.encode() + b"\x1a",
    "Ctrl-Z in a line": lambda text: text.rstrip().encode() + b"\r\n\x1a",
    "NUL": lambda text: text.encode() + b"\0",
    "form feed": lambda text: text.encode() + b"\f",
    "UTF-16": lambda text: text.encode("utf-16"),
    "Latin-1": lambda text: text.replace("made up", "erfunden für").encode("latin-1"),
    "UTF-8": lambda text: text.replace("made up", "erfunden für").encode(),
    "a tab": lambda text: text.replace(" ", "\t", 1).encode(),
}
texts = st.tuples(st.sampled_from(sorted(FILES)), st.sampled_from(sorted(CHANGES))).map(
    lambda pair: {pair[0]: CHANGES[pair[1]](FILES[pair[0]])}
)

KINDS = {"names of databases": named_databases, "numbers": numbers, "line ends and encodings": texts}


@few_and_many("examples", 12, 300)
@pytest.mark.parametrize("kind", KINDS)
def test_an_input_is_accepted_if_stock_reads_it_and_refused_if_not(kind: str, examples: int) -> None:
    try_examples(examples, is_judged_like_stock, files=KINDS[kind])
