"""Policy, memory, planner: something that acts."""
