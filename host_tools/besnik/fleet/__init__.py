"""What becomes of the firmware: built here, later flashed, provisioned and updated."""
