"""Many simulated films and what they say together: cases, factors, workers, tables, contrasts."""
