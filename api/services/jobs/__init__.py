"""Long work that people ask for, done beside the worker in a process of its own."""
