"""From what the user asks to results in a store: plan, evaluate, keep."""
