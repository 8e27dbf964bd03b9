"""Paperwork: the reports and notices after an attack, out of the record, each figure with its query."""
