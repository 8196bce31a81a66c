"""Which pictures a saved run has: those that it has something to show in."""

from __future__ import annotations

from pathlib import Path

from forecast.engine import run
from forecast.inference import SamplerSettings
from tests.toys import WORLDVIEW, Line, Market, worldview

TINY = SamplerSettings(draws=50, tune=10, chains=2, cores=1, sampler="pymc")


def test_a_run_with_a_lead_and_channels_has_both_pictures(tmp_path: Path) -> None:
    made = run(worldview(tmp_path), drivers=[Line(), Market()], settings=TINY, prior_only=True)
    path = made.save(tmp_path / "runs")
    for name in ("crossings.png", "worlds.png", "channels.png"):
        assert (path / name).read_bytes()[:4] == b"\x89PNG"


def test_a_run_of_one_bloc_without_channels_has_neither(tmp_path: Path) -> None:
    text = WORLDVIEW.replace('china = "China"\n', "")
    text = text[: text.index("[lead]")] + text[text.index("[milestones.big]") :]
    made = run(worldview(tmp_path, text), drivers=[Line()], settings=TINY, prior_only=True)
    path = made.save(tmp_path / "runs")
    assert (path / "crossings.png").is_file()
    assert not (path / "worlds.png").exists() and not (path / "channels.png").exists()
