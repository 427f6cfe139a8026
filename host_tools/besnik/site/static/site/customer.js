// The customer's side of a till: drawn by the server, kept current by the stream.

import "./menu.js";
import { openStream } from "./stream.js";

const customer = document.querySelector("[data-customer]");
const place = customer.querySelector("[data-board]");

function show(html) {
  const drawn = document.createElement("template");
  drawn.innerHTML = html;
  place.replaceChildren(drawn.content);
}

openStream(() => customer.dataset.stream, { board: show }, () => {}, () => {});
