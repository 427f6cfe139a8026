// The owner's page of readers: each as the server draws it, kept current by the stream.

import { Freshness } from "./freshness.js";
import { openStream, showLink } from "./stream.js";
import "./menu.js";

const fleet = document.querySelector("[data-fleet]");
const link = fleet.querySelector(".link");
const list = fleet.querySelector("[data-list]");
const freshness = new Freshness(fleet, fleet.querySelector("[data-stale]"));

function drawn(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

function showReader(html) {
  const reader = drawn(html).querySelector(".reader");
  list.querySelector(`#${CSS.escape(reader.id)}`)?.replaceWith(reader);
}

// What is said aloud by screen readers changes only when its words do.
function showSummary(html) {
  const place = list.querySelector("[data-summary]");
  const summary = drawn(html).querySelector(".summary");
  if (!place.firstElementChild.isEqualNode(summary)) place.replaceChildren(summary);
}

function showMap(html) {
  list.querySelector("[data-map]").replaceChildren(drawn(html));
}

function vouch() {
  freshness.set(link.dataset.link === "live");
}

function setLink(state) {
  showLink(link, state);
  vouch();
}

openStream(
  () => fleet.dataset.stream,
  {
    list: (html) => list.replaceChildren(drawn(html)),
    reader: showReader,
    summary: showSummary,
    map: showMap,
    link: setLink,
  },
  vouch,
  setLink,
);
