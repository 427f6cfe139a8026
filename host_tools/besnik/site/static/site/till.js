// A till's screen: the board as the server draws it, kept current by the stream, and the desk.

import { Acts } from "./acts.js";
import { Amount } from "./amount.js";
import { Find } from "./find.js";
import { Freshness } from "./freshness.js";
import { Keys } from "./keys.js";
import "./menu.js";
import { Stage } from "./stage.js";
import { openStream, showLink } from "./stream.js";
import { countDown } from "./undo.js";

const till = document.querySelector("[data-till]");
const link = till.querySelector(".link");
const freshness = new Freshness(till, till.querySelector("[data-stale]"));
const stage = new Stage(till);
const acts = new Acts(till, stage, till.querySelector("[data-failed]"));
const amount = new Amount(till);
const find = new Find(till, acts);

function press(selector) {
  const button = till.querySelector(selector);
  button?.click();
  return Boolean(button);
}

new Keys({
  F2: () => find.focus(),
  F4: () => press("[data-commit]") || press("[data-shortcut=F4]"),
  F8: () => press(".undo"),
  F9: () => stage.serveNext(),
  Escape: () => find.close() || stage.back() || press("[data-discard]"),
  typed: (event) => amount.take(event),
  scanned: (code) => find.scanned(code),
});
till.querySelector("[data-serve-next]").addEventListener("click", () => stage.serveNext());
countDown(till.querySelector("[data-done]"));
stage.focus();

// With `reader` one of them is off line, and what is shown is still the newest there is.
function vouch() {
  freshness.set(link.dataset.link === "live" || link.dataset.link === "reader");
}

function setLink(state) {
  showLink(link, state);
  vouch();
}

// The page names the newest tap it knows, so that it is told what it missed.
function address() {
  return `${till.dataset.stream}?after=${stage.shown.newest}`;
}

openStream(address, { board: (html) => stage.follow(html), link: setLink }, vouch, setLink);
