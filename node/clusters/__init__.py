"""Receiver clusters (cụm loa): which there are, what each is told, what each says of a slot."""
