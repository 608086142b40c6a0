"""Storage: all the SQL of the house, for SQLite and PostgreSQL."""
