"""The pages: what a cashier, a member and an owner see in a browser."""
