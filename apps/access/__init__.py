"""Who may do what: constants and questions, no tables, no writes."""
