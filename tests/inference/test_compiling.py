"""Compiled once a structure and a machine: what shares code, what the cache survives, what it gives."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
import warnings
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
import pytest

from forecast.errors import ForecastError
from forecast.inference import Compiler, SamplerSettings, Structure, sample
from forecast.inference.cache import cache_folder, cache_path, read_entry, write_entry
from forecast.inference.child import compile_apart
from forecast.inference.compiling import CompilingWarning, Entry, jittered, load_entry, starting_point
from forecast.inference.nutpie_model import NativeModel
from forecast.model import model_data, pymc_model
from forecast.worldview import Prior
from tests.inference.toy import toy

QUICK = SamplerSettings(draws=50, tune=100, chains=2, cores=1)
ANOTHER_FAMILY = {("line", "level"): Prior("StudentT", {"nu": 4.0, "mu": 23.5, "sigma": 1.0})}
OTHER_NUMBERS = {
    ("line", "level"): Prior("Normal", {"mu": 20.0, "sigma": 2.0}),
    ("follower", "gap"): Prior("Gamma", {"alpha": 3.0, "beta": 1.0}),
}

IN_ANOTHER_PROCESS = """
import sys
from forecast.inference import Compiler, SamplerSettings, sample
from tests.inference.toy import toy
compiler = Compiler()
settings = SamplerSettings(draws=50, tune=100, chains=2, cores=1)
draws, _ = sample(*toy(), settings, seed=3, compiler=compiler)
sys.stdout.write(f"{compiler.compilations} {compiler.loads} {'pymc' in sys.modules} {draws.tobytes().hex()}")
"""

COMPILES_AT_ONCE = """
from forecast.inference import child, compiling
from forecast.inference.cache import read_entry
def compiled(path, *_):
    guard = {name[6:]: values for name, values in read_entry(path)[1].items() if name.startswith("guard.")}
    return compiling.load_entry(path), guard
compiling.compile_entry = compiled
child.main()
"""


def test_other_numbers_rows_and_as_of_dates_have_the_same_structure() -> None:
    usual = Structure.of(*toy())
    assert Structure.of(*toy()) == usual
    assert Structure.of(*toy(priors=OTHER_NUMBERS)) == usual
    assert Structure.of(*toy(seed=2)) == usual
    assert Structure.of(*toy(as_of=date(2023, 5, 1))) == usual


def test_another_family_has_another_structure() -> None:
    assert Structure.of(*toy(priors=ANOTHER_FAMILY)) != Structure.of(*toy())


def test_a_constant_in_place_of_a_prior_has_another_structure() -> None:
    fixed = {("follower", "gap"): Prior("Constant", {"value": 0.8})}
    assert Structure.of(*toy(priors=fixed)) != Structure.of(*toy())


def test_changed_priors_rows_and_as_of_dates_compile_nothing_and_a_changed_family_does(
    compiler: Compiler, compiles_at_once: Path
) -> None:
    assert (compiler.compilations, compiler.loads) == (1, 0)
    for change in ({"priors": OTHER_NUMBERS}, {"seed": 2}, {"as_of": date(2023, 5, 1)}):
        sample(*toy(**change), QUICK, seed=1, compiler=compiler)
    assert compiler.compilations == 1
    fresh = Compiler()
    fresh.compiled(*toy())
    assert (fresh.compilations, fresh.loads) == (0, 1)
    fresh.compiled(*toy(priors=ANOTHER_FAMILY))
    assert (fresh.compilations, fresh.loads) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [{}, {"as_of": date(2023, 5, 1)}, {"priors": OTHER_NUMBERS}],
    ids=["usual", "fewer rows", "priors"],
)
def test_compiled_log_density_and_gradient_are_those_of_the_python_linker(
    compiler: Compiler, change: dict[str, object]
) -> None:
    graph, layout = toy(**change)
    model = pymc_model(graph, layout)
    logp = model.logp()
    outputs = [logp, *pytensor.grad(logp, model.value_vars)]
    mode = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")
    reference = pytensor.function(model.value_vars, outputs, mode=mode)
    entry, numbers = compiler.compiled(graph, layout).code, model_data(graph, layout)
    rng = np.random.default_rng(4)
    for x in rng.normal(size=(entry.n, 5)).T:  # not contiguous: compiled code knows addresses alone
        expected, *gradient = reference(x[:-1], x[-1])
        value, found = entry.log_density(x, numbers)
        np.testing.assert_allclose(value, expected, rtol=1e-10)
        np.testing.assert_allclose(found, np.concatenate([np.atleast_1d(one) for one in gradient]), rtol=1e-8)


def test_another_process_finds_the_compiled_model_and_gives_the_same_draws(
    compiler: Compiler, cache: Path
) -> None:
    draws, _ = sample(*toy(), QUICK, seed=3, compiler=compiler)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "FORECAST_CACHE": str(cache), "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    compilations, loads, pymc, found = done.stdout.split()
    assert (compilations, loads, pymc) == ("0", "1", "False")
    assert bytes.fromhex(found) == draws.tobytes()


@pytest.fixture
def compiles_at_once(compiler: Compiler, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the session's compiled toy wherever another process would compile it; returns its file."""
    path = cache_path(Structure.of(*toy()))
    assert path.parent == cache and path.exists()

    def compile_apart(wanted: Path, *_: object) -> tuple[bytes, str]:
        try:
            write_entry(wanted, *read_entry(path))
        except OSError as error:
            return path.read_bytes(), str(error.strerror)
        return b"", ""

    monkeypatch.setattr("forecast.inference.compiling.compile_apart", compile_apart)
    return path


@pytest.mark.parametrize("damage", ["truncated", "a flipped byte", "no archive", "another log density"])
def test_a_damaged_entry_is_compiled_again_with_one_warning(
    compiles_at_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    content = bytearray(compiles_at_once.read_bytes())
    meta, arrays = read_entry(compiles_at_once)
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path))
    bad = cache_path(Structure.of(*toy()))
    if damage == "truncated":
        bad.write_bytes(content[: len(content) // 2])
    elif damage == "a flipped byte":
        content[len(content) // 2] ^= 255
        bad.write_bytes(content)
    elif damage == "no archive":
        bad.write_text("nothing")
    else:
        write_entry(bad, meta, arrays | {"guard.value": arrays["guard.value"] + 1.0})
    repaired = Compiler()
    with pytest.warns(RuntimeWarning, match="could not be used") as caught:
        repaired.compiled(*toy())
    assert len([one for one in caught if issubclass(one.category, RuntimeWarning)]) == 1
    assert (repaired.compilations, repaired.loads) == (1, 0)
    load_entry(bad)


@pytest.mark.slow
def test_without_our_own_functions_nutpie_compiles_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fit: tuple[np.ndarray, object]
) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("numba has no such part")

    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path))
    monkeypatch.setattr("forecast.inference.compiling.compile_apart", broken)
    compiler = Compiler()
    with pytest.warns(RuntimeWarning, match="numba has no such part"):
        draws, _ = sample(
            *toy(), SamplerSettings(draws=300, tune=300, chains=2, cores=1), seed=1, compiler=compiler
        )
    np.testing.assert_allclose(draws.mean((0, 1)), fit[0].mean((0, 1)), atol=0.02)
    sample(*toy(as_of=date(2023, 5, 1)), QUICK, seed=1, compiler=compiler)
    assert compiler.compilations == 1


def test_a_folder_that_cannot_be_written_costs_a_warning_and_no_second_compilation(
    compiles_at_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path / "file"))
    with pytest.warns(CompilingWarning, match=r"could not be kept in .*file \(File exists\)"):
        found = Compiler().compiled(*toy())
    assert isinstance(found.code, Entry)


def test_the_compiling_process_hands_back_what_it_cannot_keep(compiles_at_once: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    _, arrays = read_entry(compiles_at_once)
    numbers = {name[5:]: values for name, values in arrays.items() if name.startswith("data.")}
    done = subprocess.run(
        [sys.executable, "-c", COMPILES_AT_ONCE],
        input=pickle.dumps((tmp_path / "file" / "entry.npz", compiles_at_once, None, numbers)),
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stderr.decode().strip().splitlines()[-1] == "File exists"
    _, handed = read_entry(BytesIO(done.stdout))
    assert {name: values.tobytes() for name, values in handed.items()} == {
        name: values.tobytes() for name, values in arrays.items()
    }


def test_a_compiling_process_ends_with_the_one_that_started_it() -> None:
    """Killed, and so unable to end it."""
    starts = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'forecast.inference.child'])"
    parent = subprocess.Popen(
        [sys.executable, "-c", starts],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert parent.stdin is not None and parent.stderr is not None
    parent.stdin.write(pickle.dumps(Busy()))
    parent.stdin.flush()
    assert parent.stderr.readline() == b"busy\n"
    parent.kill()
    killed = time.monotonic()
    assert parent.stderr.read() == b""  # here the child, which holds it open too, has ended
    assert time.monotonic() - killed < 30
    parent.wait()


class Busy:
    """Unpickled, it says so and takes its time."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("import sys, time; print('busy', file=sys.stderr, flush=True); time.sleep(60)",)


def test_what_a_compiling_process_dies_of_is_said_by_the_one_that_started_it(tmp_path: Path) -> None:
    no_model: Any = None
    with pytest.raises(ForecastError, match="in a process of its own failed: AttributeError: 'NoneType'"):
        compile_apart(tmp_path / "entry.npz", no_model, toy()[1], {})
    assert not list(tmp_path.iterdir())


def test_two_writers_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "entry.npz"
    for number in (1, 2):
        write_entry(path, {"number": number}, {"file": np.arange(number)})
    meta, arrays = read_entry(path)
    assert meta == {"number": 2} and list(arrays["file"]) == [0, 1]
    assert [one.name for one in path.parent.iterdir()] == ["entry.npz"]


def test_the_folder_of_compiled_models_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("FORECAST_CACHE")
    assert cache_folder().name in ("agi-forecast", "Cache")


def test_data_of_another_rank_are_refused(compiler: Compiler) -> None:
    graph, layout = toy()
    numbers = model_data(graph, layout)
    entry = compiler.compiled(graph, layout).code
    with pytest.raises(ValueError, match="axes"):
        entry.log_density(np.zeros(entry.n), numbers | {"prior.loc": np.zeros((2, 2))})


def test_sampling_warns_of_nothing(compiler: Compiler) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample(*toy(), QUICK, seed=1, compiler=compiler)


def test_a_failing_sampler_is_an_error_of_ours(compiler: Compiler) -> None:
    impossible = {("line", "level"): Prior("Normal", {"mu": float("nan"), "sigma": 1.0})}
    with pytest.raises(ForecastError, match="sampling failed"):
        sample(*toy(priors=impossible), QUICK, seed=1, compiler=compiler)


def test_chains_start_by_the_density_of_the_fit_and_far_from_one_another():
    graph, layout = toy()
    code = Compiler().compiled(graph, layout).code
    numbers = model_data(graph, layout)
    point = starting_point(code.names, code.n, layout)
    model = NativeModel.of(code, numbers, point)
    assert model._density(point) == code.log_density(point, numbers)[0]
    starts = [jittered(point, model._density)(seed) for seed in range(8)]
    usual = [jittered(point)(seed) for seed in range(8)]
    assert np.median([model._density(x) for x in starts]) > np.median([model._density(x) for x in usual])
    assert np.std(starts, axis=0).min() > 0
