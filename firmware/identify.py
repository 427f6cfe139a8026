# Which card is it: from a selected card to the credential that is sent to the host.

import binascii


# Kind and data of the credential a card offers, as the contract writes them: a UID is upper-case
# hex without separators.
def credential(card):
    return "uid", binascii.hexlify(card.uid).decode().upper()
