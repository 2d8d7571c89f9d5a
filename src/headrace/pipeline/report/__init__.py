"""How are we doing? Views over executions and refusals; no rule of business is decided here."""
