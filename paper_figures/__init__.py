"""Pictures and tables made from runs; every one says what is simulated."""
