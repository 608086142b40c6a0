"""Migrations of the database, run by api.storage.migrate."""
