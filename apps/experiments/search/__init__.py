"""Search with a filter and an order: read here, compiled to SQL beside it."""
