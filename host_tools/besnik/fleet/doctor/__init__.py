"""What is wrong with a reader, in the order in which one thing rests on another, and what to do."""
