"""What is due by the clock, whoever is in the shop: `besnik jobs`.

Every job does the same whenever it runs, and nothing twice: one that was stopped is run again.
Each works in pages, so that memory does not grow with the ledger and nobody waits long for a lock.
"""
