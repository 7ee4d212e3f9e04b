"""A stick instead of a line, and a person's word instead of a clock."""
