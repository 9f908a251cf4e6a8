"""What speed and memory cost, measured as whole processes; never a test."""
