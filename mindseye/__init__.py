"""Turn experience into worlds you can step, and measure in the real world how far to trust them."""

__version__ = "0.1.0"
