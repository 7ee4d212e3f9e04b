"""What people do at a station: sit down, decide, sign, read; the pages in `node.web` show it."""
