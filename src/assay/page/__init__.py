"""How findings are set as one web page: views, then templates, then charts."""
