"""What a cashier does at a till's page: one sheet for each action, sent once."""
