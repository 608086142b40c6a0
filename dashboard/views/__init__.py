"""One module for each page, with a function ``render``."""
