"""The REST API: tokens, errors, pages of rows, orders and its document. Each app serves its own rows in `api`."""
