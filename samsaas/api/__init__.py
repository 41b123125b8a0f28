"""The REST API: tokens, errors, pages of rows, orders, and its OpenAPI document. Each app serves its own rows in `api`."""
