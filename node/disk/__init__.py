"""What a station stands on: its disk, its backup, and memory while the disk fails."""
