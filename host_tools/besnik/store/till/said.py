"""What the till says when it cannot do what was asked, by code; every sentence says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop as _

# Not there.
UNKNOWN: Final[Mapping[str, str]] = {
    "member_unknown": _("Nobody was found. Check what was typed, or enrol the customer."),
    "card_unknown": _(
        "This card belongs to nobody here. Enrol the customer, or find them by phone."
    ),
    "tap_unknown": _("This tap was not found here. Hold the card to the reader again."),
    "receipt_unknown": _("There is no receipt %(receipt)s. Check its number and shop."),
    "entry_unknown": _("This booking was not found. Look for it in the history."),
    "reward_unknown": _("There is no such reward. Choose one from the list."),
    "coupon_unknown": _("This coupon is not known. Check the code."),
    "hold_unknown": _("Nothing is reserved any more. Redeem again."),
    "line_unknown": _("Line %(line)s is not on this receipt. Check its number."),
    "plan_unknown": _("This program sells no membership."),
    "shop_unknown": _("There is no such shop in this program."),
}
# There, but not so, or not now.
CONFLICT: Final[Mapping[str, str]] = {
    "receipt_known": _(
        "Receipt %(receipt)s is recorded already; nothing was booked again. Use a new number."
    ),
    "tap_taken": _("This visit has a receipt already. Hold the card to the reader again."),
    "tap_of_another": _("This card is another member's. Ask whose points are meant."),
    "sale_of_another": _(
        "This receipt is another member's. If that was wrong, move it and say why."
    ),
    "sale_of_nobody": _("This receipt is nobody's yet. Say whose it is."),
    "card_blocked": _("This card is blocked. Do not accept it; find the member by phone."),
    "card_replaced": _("This card was replaced. Keep it and ask for the new one."),
    "member_closed": _("This member has left the program. Enrol them again if they wish."),
    "random_uid": _(
        "This phone or card shows a new number each time. Use another card, or find by phone."
    ),
    "copyable": _(
        "This card can be copied: it collects but does not pay. Find by phone, or give a PIN."
    ),
    "too_fast": _(
        "This card collects too often in a short time. Sell without it and tell a shift lead."
    ),
    "insufficient": _("%(wanted)s is too much: %(active)s can be used now. Ask for less."),
    "sold_out": _("This reward has just run out. Offer another one."),
    "hold_ended": _("The reservation has ended. Redeem again."),
    "not_yours": _("This was given to another member. Ask for the right card."),
    "tier": _("This reward is for another tier. Choose another one."),
    "too_early": _("This reward cannot be had yet. Choose another one."),
    "too_late": _("This reward cannot be had any more. Choose another one."),
    "nothing_off": _("Nothing on this receipt gets cheaper by this reward. Choose another one."),
    "no_item": _("No item on this receipt fits this reward. Add one, or choose another reward."),
    "coupon_redeemed": _("This coupon was used before. Ask for another one."),
    "coupon_reserved": _("This coupon is reserved for another sale. Release that first."),
    "coupon_expired": _("This coupon has expired. Ask for another one."),
    "coupon_cancelled": _("This coupon was cancelled. Ask for another one."),
    "no_hold": _("This costs nothing, so nothing is reserved. Give it when the sale is paid."),
    "ended": _("This program has ended. Nothing is collected or used any more."),
    "already_reversed": _("This was taken back before. Nothing is left to take back."),
    "not_reversible": _("This cannot be taken back. Give goodwill instead."),
    "needs_lead": _("Only a shift lead may take this back now. Ask for their PIN."),
    "needs_pin": _("This needs the PIN of a shift lead."),
    "wrong_pin": _("Name or PIN is wrong. Try again, or ask a shift lead."),
    "pin_locked": _("Too many wrong PINs. Wait ten minutes."),
    "goodwill_limit": _(
        "%(limit)s a day may be given away, %(given)s were. Ask the owner to raise the limit."
    ),
    "transfer_limit": _(
        "At most %(limit)s a day may be given to others and %(given)s were. Give less."
    ),
    "not_transferable": _("This cannot be given to another member. Choose points."),
    "same_member": _("Giver and receiver are the same member. Choose another one."),
    "line_returned": _("Line %(line)s came back before. Choose another one."),
    "no_membership": _("No paid membership is running. Nothing can be paid back."),
    "changed": _("Somebody else changed this at the same moment. Try again."),
    "in_flight": _("The first request is still being worked on. Ask again in a moment."),
    "card_known": _("This card already belongs to a member. Hold it to the reader again."),
    "phone_known": _("This phone number belongs to a member. Find them by it."),
}
# Asked wrongly.
INVALID: Final[Mapping[str, str]] = {
    "key_conflict": _("This key was used for another request. Use a new one for a new request."),
    "who": _("Say in one way who it is: member, phone, card or tap."),
    "amount": _("An amount is 1 or more. Check what was typed."),
    "no_lines": _("A sale has an amount, or at least one line."),
    "same_lines": _("Two lines have the number %(line)s. Give each its own."),
    "tenders": _("The payments come to %(paid)s, the receipt to %(total)s. Correct one of them."),
    "future": _("This lies in the future. Check the clock of the till."),
    "too_old": _("This sale is older than a year. It earns nothing any more."),
    "nothing_asked": _("Name one thing: a reward, an amount, or a coupon."),
    "reason": _("Say why: write a reason."),
    "name_empty": _("Please write the name."),
    "name_long": _("This name is too long. Please shorten it."),
    "name_characters": _("Some characters cannot be shown. Please type the name again."),
    "language": _("Please choose one of the languages in the list."),
    "phone_country": _("Write the phone number with + and the code of its country."),
    "phone_wrong": _("This is no phone number. Check its digits."),
    "birthday": _("Check the year of the birthday."),
    "consent": _("Name the purpose of each consent and the sentence that was read."),
    "card_wrong": _("This is no card's number. Check what was typed."),
}
