"""Writing layouts: reads what a person wrote, says what is wrong with it, shows what it means. Pure: no I/O."""
