"""Programs that verify one chain after another in one process and print the rate; the runner starts them."""
