"""docs/one-file-plugin.md: the file on the page is a plugin, and its commands do what the page says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.cli import main
from forecast.results import read_run

PAGE = (Path(__file__).parent.parent / "docs" / "one-file-plugin.md").read_text(encoding="utf-8")
(CODE,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
(SCENARIO,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
SMALL = ["--priors", "small", "--draws", "50", "--out", "runs"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, as it tells a reader to save them."""
    folder = tmp_path_factory.mktemp("page")
    for name, text in (("moratorium.py", CODE), ("agreed-in-2028.toml", SCENARIO)):
        assert f"`{name}`" in PAGE
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def answers(folder: Path) -> list[str]:
    """What the page's commands print, with few draws of the smallest worldview."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in COMMANDS:
            program, *arguments = shlex.split(command)
            assert program == "forecast"
            extra = [] if arguments[0] == "priors" else [*SMALL, "--json"]
            result = CliRunner().invoke(main, [*arguments, *extra])
            assert result.exit_code == 0, result.output
            found.append(result.stdout)
    return found


def test_every_command_of_the_page_works_and_knows_the_driver(answers):
    assert len(answers) == len(COMMANDS) == 4
    first, priors, changed, _ = answers
    assert "[priors.moratorium]" in priors
    assert json.loads(first)["run"] != json.loads(changed)["run"]


def test_while_it_is_in_force_no_run_is_larger_than_the_cap_and_it_is_not_before_the_as_of_date(
    folder, answers
):
    tree = read_run(folder / "runs" / json.loads(answers[0])["run"]).tree
    projection, cap = tree["projection"], np.log10(tree["prior"]["moratorium.cap"])
    in_force, compute = projection["moratorium"] == 1, projection["training_compute"]
    assert 0.01 < float(in_force.mean()) < 0.5
    assert not in_force.sel(time=slice(None, "2026-06")).any()
    assert float((compute - cap).where(in_force).max()) < 1e-4
    assert float((compute - cap).where(~in_force).max()) > 0.5


def test_under_the_scenario_of_the_page_fewer_draws_cross(answers):
    found = json.loads(answers[3])
    base, under = found["base"]["blocs"], found["scenarios"]["agreed-in-2028"]["blocs"]
    assert set(under) == {"us_allies", "china"}
    for bloc in under:
        assert under[bloc]["p_never"] > base[bloc]["p_never"] + 0.1, bloc
