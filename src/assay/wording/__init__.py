"""Every sentence about findings, once: the terminal, the page, the notebook and exports use it."""
