"""Limited sight: who may see which profiles only. `samsaas.lib.sight` holds every page to it."""
