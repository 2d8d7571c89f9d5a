"""History in any database that SQLAlchemy speaks to; SQLite where no server is wanted."""
