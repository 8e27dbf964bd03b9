"""The measurements of `sekisho bench`, each run in a process of its own."""
