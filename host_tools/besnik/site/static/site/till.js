// A till's screen: the board as the server draws it, kept current by the stream.

import { Enrolment } from "./enrol.js";
import { Freshness } from "./freshness.js";
import { openStream, showLink } from "./stream.js";
import "./menu.js";

const till = document.querySelector("[data-till]");
const link = till.querySelector(".link");
const place = till.querySelector("[data-board]");
const announcer = till.querySelector("[data-announce]");
const freshness = new Freshness(till, till.querySelector("[data-stale]"));
const enrolment = new Enrolment(till.querySelector("[data-enrol]"));

function show(html) {
  const drawn = document.createElement("template");
  drawn.innerHTML = html;
  const board = drawn.content.querySelector(".board");
  const form = drawn.content.querySelector("[data-enrol-form]");
  const before = place.querySelector(".board");
  if (before.dataset.key === board.dataset.key) return;
  const isNews = before.dataset.said !== board.dataset.said;
  board.classList.toggle("fresh", isNews);
  place.replaceChildren(board);
  enrolment.follow(board.dataset, form?.content);
  if (isNews) announce(board);
}

// One short sentence for screen readers, rather than every part of the board.
function announce(board) {
  const parts = [".verdict strong", ".name", ".balance", ".verdict span"];
  const words = parts.map((part) => board.querySelector(part)?.textContent.trim());
  announcer.textContent = words.filter(Boolean).join(". ").replace(/\s+/g, " ");
}

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
  return `${till.dataset.stream}?after=${place.querySelector(".board").dataset.newest}`;
}

openStream(address, { board: show, link: setLink }, vouch, setLink);
