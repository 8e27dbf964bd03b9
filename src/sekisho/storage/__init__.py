"""The only room that knows the database engines and the file formats of the stores."""
