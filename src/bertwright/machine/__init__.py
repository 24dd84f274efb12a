"""What is asked of this machine: cores, limits, memory, devices, numbers and their rate."""
