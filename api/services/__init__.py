"""Services: what the routes do, in terms of storage and detector."""
