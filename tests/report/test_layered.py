"""The layered drawing: lines run downwards, nothing overlaps, few crossings, the same every time."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import numpy as np
import pytest

from forecast.report.layered import draw, increasing


def random_graph(seed: int) -> tuple[list[tuple[float, float]], list[tuple[int, int]]]:
    """Boxes of odd sizes and lines from lower to higher numbers, some of them twice."""
    dice = random.Random(seed)
    count = dice.randint(2, 30)
    sizes = [(dice.uniform(40, 200), dice.uniform(20, 90)) for _ in range(count)]
    lines = [pair for pair in combinations(range(count), 2) if dice.random() < 2.5 / count]
    return sizes, [*lines, *lines[:2]]


@pytest.mark.parametrize("seed", range(12))
def test_lines_run_downwards_boxes_stand_apart_and_lines_pass_between_them(seed):
    sizes, lines = random_graph(seed)
    drawn = draw(sizes, lines, gap=10.0, lane=6.0)
    for index, (start, end) in enumerate(lines):
        assert drawn.layers[start] < drawn.layers[end]
        route = drawn.routes[index]
        assert len(route) == drawn.layers[end] - drawn.layers[start] + 1
        assert (route[0], route[-1]) == (drawn.centres[start][0], drawn.centres[end][0])
        for layer, x in enumerate(route[1:-1], drawn.layers[start] + 1):
            for box, size in enumerate(sizes):
                if drawn.layers[box] == layer:
                    assert abs(drawn.centres[box][0] - x) >= (size[0] + 6.0) / 2 + 10.0 - 1e-6
    for a, b in combinations(range(len(sizes)), 2):
        if drawn.layers[a] == drawn.layers[b]:
            room = (sizes[a][0] + sizes[b][0]) / 2 + 10.0
            assert abs(drawn.centres[a][0] - drawn.centres[b][0]) >= room - 1e-6
    for (x, y), (width, height) in zip(drawn.centres, sizes, strict=True):
        assert -1e-6 <= x - width / 2 and x + width / 2 <= drawn.width + 1e-6
        assert -1e-6 <= y - height / 2 and y + height / 2 <= drawn.height + 1e-6
    assert all(above[1] < below[0] for above, below in pairwise(drawn.bands))


def test_equal_graphs_are_drawn_alike():
    assert draw(*random_graph(3)) == draw(*random_graph(3))


def test_lines_that_need_not_cross_do_not():
    # Written down crosswise: 0 and 1 above, 3 and 2 below.
    drawn = draw([(50.0, 20.0)] * 4, [(0, 3), (1, 2)])
    over = drawn.centres[0][0] - drawn.centres[1][0]
    under = drawn.centres[3][0] - drawn.centres[2][0]
    assert over * under > 0


def test_a_long_line_is_straight_where_there_is_room():
    chain = [(0, 1), (1, 2), (2, 3), (3, 4)]
    drawn = draw([(80.0, 20.0)] * 5, [*chain, (0, 4)])
    assert np.ptp(drawn.routes[-1][1:-1]) == pytest.approx(0.0)


def test_a_source_stands_just_above_what_reads_it():
    # 4 is read by the last of a chain alone; by longest path it would stand at the top.
    drawn = draw([(80.0, 20.0)] * 5, [(0, 1), (1, 2), (2, 3), (4, 3)])
    assert drawn.layers[4] == drawn.layers[3] - 1


def test_nothing_and_one_box_can_be_drawn_and_a_circle_is_refused():
    assert (draw([], []).width, draw([], []).height) == (0.0, 0.0)
    assert draw([(80.0, 20.0)], []).centres == [(40.0, 10.0)]
    with pytest.raises(ValueError, match="circle"):
        draw([(80.0, 20.0)] * 2, [(0, 1), (1, 0)])


def test_numbers_are_made_increasing_by_weighted_least_squares():
    assert increasing(np.array([1.0, 3.0, 2.0, 5.0]), np.array([1.0, 1.0, 3.0, 1.0])).tolist() == [
        1.0, 2.25, 2.25, 5.0,
    ]  # fmt: skip
