"""All sentences about findings: the terminal, the page, the notebook and exports share them."""
