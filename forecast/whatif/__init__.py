"""What a saved run would say under other numbers: at once where weights can tell, else by a refit."""

from forecast.whatif.answer import ask
from forecast.whatif.question import SCHEMA, Asked

__all__ = ["SCHEMA", "Asked", "ask"]
