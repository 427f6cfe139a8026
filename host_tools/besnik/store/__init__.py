"""The durable side: Django models and migrations, and the hot statements of the bridge."""
