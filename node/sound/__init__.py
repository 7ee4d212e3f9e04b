"""How a station makes itself heard, and what it can prove of that: players, chimes, voices, ears."""
