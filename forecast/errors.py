"""Errors that are shown to people instead of a traceback.

Each class carries the exit code of the command line: 2 where the user's input
is wrong, 1 where something else failed, a plugin included.
"""

from __future__ import annotations

from collections.abc import Sequence


class ForecastError(Exception):
    """Something failed, and the message says what and what to do about it."""

    exit_code = 1


class InputError(ForecastError):
    """The user's input is wrong: a prior file, an option, an evidence row.

    Parameters
    ----------
    problems : str or sequence of str
        One complete sentence a problem, each naming file, line and key where
        there is one. Readers collect all problems of a file before raising.
    """

    exit_code = 2

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class PluginError(ForecastError):
    """A plugin failed; names its driver and distribution."""

    exit_code = 1

    def __init__(self, message: str, *, driver: str | None = None, distribution: str | None = None) -> None:
        self.driver = driver
        self.distribution = distribution
        who = [f"driver {driver!r}"] if driver else []
        if distribution:
            who.append(f"of {distribution}" if driver else f"plugin {distribution!r}")
        super().__init__(f"{' '.join(who)}: {message}" if who else message)
