"""Boards (bảng thông tin điện tử): what each is to show, and what its screen says it showed."""
