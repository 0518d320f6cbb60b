"""What a chain says: statistics, plots, one page for people, and the samples for other programs."""
