"""The pages' views: one file for each kind of visitor."""
