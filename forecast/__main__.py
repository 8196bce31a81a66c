"""``python -m forecast`` is the command ``forecast``."""

from forecast.cli import main

main()
