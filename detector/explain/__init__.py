"""Why an account has its verdict, and what would change it."""
