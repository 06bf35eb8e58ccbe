"""What the platform costs: start-up, memory, and seconds for each week."""
