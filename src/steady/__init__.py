"""A controller runtime for asyncio that costs only what its job costs, and can prove it."""
