"""Layered drawing of an acyclic graph: who stands in which layer, in what order, and where lines run.

The steps of Sugiyama, Tagawa and Toda (1981), for a few hundred boxes: layers
by longest path, then shorter lines; a stand-in for every line in each layer
that it passes; fewer crossings by sweeps of means and by exchanging
neighbours; positions by least squares that keep order and distance. Nothing is
random, so equal graphs are drawn alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SWEEPS = 24

WEIGHTS = (1.0, 2.0, 8.0)
"""How much a link is to be straight, by how many of its two ends are stand-ins."""

Point = tuple[float, float]
Links = Sequence[tuple[int, int]]
Beside = Sequence[Sequence[int]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drawing:
    """Where everything stands; x to the right, y downwards, from (0, 0).

    Attributes
    ----------
    width, height : float
    centres : list of (x, y)
        Of the boxes.
    layers : list of int
        Of the boxes, from above.
    bands : list of (float, float)
        Top and bottom of each layer.
    routes : list of list of float
        For each line, x in every layer from its start to its end.
    """

    width: float
    height: float
    centres: Sequence[Point]
    layers: Sequence[int]
    bands: Sequence[tuple[float, float]]
    routes: Sequence[Sequence[float]]


def draw(
    sizes: Sequence[Point],
    lines: Links,
    *,
    gap: float = 18.0,
    between: float = 46.0,
    lane: float = 10.0,
) -> Drawing:
    """Place boxes in layers so that every line runs downwards.

    Parameters
    ----------
    sizes : sequence of (width, height)
        Of the boxes, which are called by their place in it.
    lines : sequence of (from, to)
        Without a circle; a pair may stand there twice.
    gap : float
        Between neighbours of a layer.
    between : float
        Between layers.
    lane : float
        Width that a line takes where it passes a layer.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        The lines form a circle.
    """
    layers = _layers(len(sizes), lines)
    rows: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    for box, layer in enumerate(layers):
        rows[layer].append(box)
    widths = [width for width, _ in sizes]
    chains = []
    for start, end in lines:
        chain = [start]
        for layer in range(layers[start] + 1, layers[end]):
            chain.append(len(widths))
            rows[layer].append(len(widths))
            widths.append(lane)
        chains.append([*chain, end])
    links = [pair for chain in chains for pair in pairwise(chain)]
    rows = _ordered(rows, links, len(widths))
    x = _positions(rows, links, widths, len(sizes), gap)
    left = min((x[node] - width / 2 for node, width in enumerate(widths)), default=0.0)
    right = max((x[node] + width / 2 for node, width in enumerate(widths)), default=0.0)
    bands, top = [], 0.0
    for row in rows:
        tall = max(sizes[node][1] for node in row if node < len(sizes))
        bands.append((top, top + tall))
        top += tall + between
    return Drawing(
        width=right - left,
        height=max(top - between, 0.0),
        centres=[(x[box] - left, sum(bands[layer]) / 2) for box, layer in enumerate(layers)],
        layers=layers,
        bands=bands,
        routes=[[x[node] - left for node in chain] for chain in chains],
    )


def _neighbours(links: Links, count: int) -> tuple[list[list[int]], list[list[int]]]:
    """Above and below each node."""
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for start, end in links:
        above[end].append(start)
        below[start].append(end)
    return above, below


def _layers(count: int, lines: Links) -> list[int]:
    """Longest path first; then each box moves to where its lines are shortest."""
    above, below = _neighbours(lines, count)
    layer: dict[int, int] = {}
    while len(layer) < count:
        ready = [box for box in range(count) if box not in layer and all(one in layer for one in above[box])]
        if not ready:
            raise ValueError("the lines form a circle")
        for box in ready:
            layer[box] = 1 + max((layer[one] for one in above[box]), default=-1)
    for _ in range(count):
        before = dict(layer)
        for box in range(count):
            if len(below[box]) > len(above[box]):
                layer[box] = min(layer[one] for one in below[box]) - 1
            elif len(above[box]) > len(below[box]):
                layer[box] = max(layer[one] for one in above[box]) + 1
        if layer == before:
            break
    used = sorted(set(layer.values()))
    return [used.index(layer[box]) for box in range(count)]


def _ordered(rows: list[list[int]], links: Links, count: int) -> list[list[int]]:
    """Orders of all layers, the best of some sweeps down and up."""
    above, below = _neighbours(links, count)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        rows = [list(row) for row in rows]
        for index in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            fixed = {node: place for place, node in enumerate(rows[index - 1 if down else index + 1])}
            _sort_by_means(rows[index], above if down else below, fixed)
        _exchange(rows, above, below)
        now = _crossings(rows, below)
        if now < fewest:
            best, fewest = [list(row) for row in rows], now
    return best


def _sort_by_means(row: list[int], beside: Beside, fixed: Mapping[int, int]) -> None:
    """Sort a layer by the mean place of each node's neighbours; one without keeps its own."""
    own = {node: place * len(fixed) / len(row) for place, node in enumerate(row)}

    def mean(node: int) -> float:
        places = [fixed[one] for one in beside[node]]
        return sum(places) / len(places) if places else own[node]

    row.sort(key=lambda node: (mean(node), own[node]))


def _exchange(rows: Sequence[list[int]], above: Beside, below: Beside) -> None:
    """Exchange neighbours as long as that saves crossings."""
    improved = True
    while improved:
        improved = False
        for index, row in enumerate(rows):
            around = [
                (beside, {node: place for place, node in enumerate(rows[other])})
                for beside, other in ((above, index - 1), (below, index + 1))
                if 0 <= other < len(rows)
            ]
            for place in range(len(row) - 1):
                a, b = row[place : place + 2]
                pairs = [(at[p], at[q]) for beside, at in around for p in beside[a] for q in beside[b]]
                if sum(p > q for p, q in pairs) > sum(p < q for p, q in pairs):
                    row[place], row[place + 1] = b, a
                    improved = True


def _crossings(rows: Sequence[Sequence[int]], below: Beside) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        at = {node: place for place, node in enumerate(lower)}
        ends = [place for node in upper for place in sorted(at[other] for other in below[node])]
        total += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return total


def _positions(
    rows: Sequence[Sequence[int]], links: Links, widths: Sequence[float], boxes: int, gap: float
) -> list[float]:
    """X of every node: near its neighbours, in order, without overlap."""
    beside: list[list[tuple[int, float]]] = [[] for _ in widths]
    for start, end in links:
        weight = WEIGHTS[(start >= boxes) + (end >= boxes)]
        beside[start].append((end, weight))
        beside[end].append((start, weight))
    x = [0.0] * len(widths)
    offsets = []
    for row in rows:
        room = [(widths[a] + widths[b]) / 2 + gap for a, b in pairwise(row)]
        offset = np.concatenate([[0.0], np.cumsum(room)])
        offsets.append(offset)
        for node, place in zip(row, offset - offset[-1] / 2, strict=True):
            x[node] = float(place)
    for sweep in range(4 * SWEEPS):
        for index in range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1):
            wanted, weights = [], []
            for node in rows[index]:
                total = sum(weight for _, weight in beside[node])
                near = sum(weight * x[other] for other, weight in beside[node])
                wanted.append(near / total if total else x[node])
                weights.append(total or 0.01)
            placed = increasing(np.array(wanted) - offsets[index], np.array(weights)) + offsets[index]
            for node, place in zip(rows[index], placed, strict=True):
                x[node] = float(place)
    _straighten(rows, links, boxes, offsets, x)
    return x


def _straighten(
    rows: Sequence[Sequence[int]], links: Links, boxes: int, offsets: Sequence[Floats], x: list[float]
) -> None:
    """Put the stand-ins of a long line above one another, as far down as there is room."""
    place = {node: (index, at) for index, row in enumerate(rows) for at, node in enumerate(row)}
    follows = {start: end for start, end in links if min(start, end) >= boxes}

    def room(node: int) -> tuple[float, float]:
        index, at = place[node]
        row, offset = rows[index], offsets[index]
        low = x[row[at - 1]] + offset[at] - offset[at - 1] if at else -np.inf
        high = x[row[at + 1]] - offset[at + 1] + offset[at] if at + 1 < len(row) else np.inf
        return low, high

    for start, end in links:
        node = end if start < boxes <= end else None
        while node is not None:
            run, (low, high) = [node], room(node)
            node = follows.get(node)
            while node is not None:
                left, right = room(node)
                if max(low, left) > min(high, right):
                    break
                low, high = max(low, left), min(high, right)
                run.append(node)
                node = follows.get(node)
            middle = float(np.clip(np.mean([x[one] for one in run]), low, high))
            for one in run:
                x[one] = middle


def increasing(wanted: Floats, weights: Floats) -> Floats:
    """Nearest numbers that do not decrease, in weighted least squares (pool adjacent violators).

    Parameters
    ----------
    wanted, weights : ndarray, (number,)

    Returns
    -------
    ndarray, (number,)
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted.tolist(), weights.tolist(), strict=True):
        count = 1
        while blocks and blocks[-1][0] > value:
            other, heavy, size = blocks.pop()
            value = (value * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + size
        blocks.append((value, weight, count))
    return np.repeat([value for value, _, _ in blocks], [count for _, _, count in blocks])
