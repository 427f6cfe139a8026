"""What the audit log's actions are called; one that has no name here is shown as it is written."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

_NAMES: Final = {
    "login": _("logged in"),
    "login.locked": _("was locked out after wrong passwords"),
    "login.demo": _("logged in to the demo"),
    "staff.add": _("added a person"),
    "staff.change": _("changed a person"),
    "staff.activate": _("let a person in again"),
    "staff.deactivate": _("let a person in no more"),
    "staff.reset_password": _("gave a new password"),
    "staff.password": _("changed their password"),
    "staff.pin": _("changed a PIN"),
    "staff.pin_locked": _("typed too many wrong PINs"),
    "program.publish": _("published the program"),
    "program.end": _("announced the end of the program"),
    "program.recall": _("took back the end of the program"),
    "entry.reverse": _("took an entry back"),
    "sale.move": _("moved a sale to another member"),
    "goodwill.give": _("gave points as goodwill"),
    "member.gift": _("noted a present"),
    "member.link": _("showed the code of a member's page"),
    "member.link.renew": _("ended the old link of a member's page"),
    "member.leave": _("left the program, on their own page"),
    "member.return": _("came back, on their own page"),
    "member.erase": _("had everything erased, on their own page"),
    "card.code": _("printed a card"),
    "stock.count": _("counted the stock"),
    "alert.seen": _("saw an alert"),
    "import.take": _("took over an import"),
    "crm.connect": _("connected a CRM"),
    "crm.on": _("switched the CRM on"),
    "crm.off": _("switched the CRM off"),
    "crm.fields": _("chose what of the CRM the till shows"),
    "crm.import": _("imported the CRM’s customers"),
    "crm.hook": _("made a new address for the CRM’s webhook"),
    "crm.again": _("looked again at a customer of the CRM"),
    "crm.theirs": _("took over what the CRM says"),
    "crm.ours": _("wrote to the CRM what the ledger says"),
    "crm.anew": _("had a customer written to the CRM anew"),
    "crm.unlink": _("kept a member out of the CRM"),
    "crm.send": _("sent to the CRM again what it had refused"),
    "crm.write": _("had members written to the CRM"),
    "crm.refuse": _("let taps that waited for the CRM be those of unknown cards"),
    "crm.take_in": _("took in a customer of the CRM who had been erased"),
    "crm.same": _("said that the CRM has the same customers as before"),
    "crm.forget": _("forgot which member is which customer of the CRM"),
    "export.members": _("saved the members"),
    "export.sales": _("saved the sales"),
    "export.entries": _("saved the ledger"),
    "export.audit": _("saved the audit log"),
    "reader.add": _("added a reader"),
    "update.begin": _("began to update readers"),
    "update.stop": _("stopped an update of readers"),
    "update.widen": _("let an update go on to more readers"),
    "shop.add": _("added a shop"),
    "till.add": _("added a till"),
    "place.rename": _("renamed a shop or till"),
}


def action_name(action: str) -> str:
    """Return what an action is called."""
    return str(_NAMES.get(action, action))
