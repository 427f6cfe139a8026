// An event stream that comes back by itself, and a page that says how current it is.
//
// EventSource alone gives up on an HTTP error and does not notice a silent network, nor a machine
// that slept: the server beats every 2 s, and when nothing was heard for 5 s the stream is opened
// anew. A hidden page lets its stream go: a browser allows six connections to one server over
// HTTP/1.1, and a forgotten tab must not starve the one in front. An event source does not say why
// it was refused, so whoever lost it asks whether anybody is logged in at all.

import { checkSession } from "./session.js";

const SILENCE_MS = 5_000;
const RETRY_MS = 1_000;
const TICK_MS = 500;

// `address` returns where to open a stream; `handlers` maps an event's name to a function of its
// decoded data; `heard` is called at every sign of life, `away` when the stream is: `lost`, or
// `connecting` after the page was hidden, which is no fault.
export function openStream(address, handlers, heard, away) {
  let source = null;
  let heardAt = 0;
  let lostAt = 0;

  function close() {
    source?.close();
    source = null;
  }

  function lost() {
    close();
    lostAt = Date.now();
    away("lost");
    checkSession();
  }

  function listen(stream, name, handle) {
    stream.addEventListener(name, (event) => {
      if (stream !== source) return;
      heardAt = Date.now();
      if (name === "login") {
        lost();
        return;
      }
      handle?.(JSON.parse(event.data));
      heard();
    });
  }

  function open() {
    close();
    heardAt = Date.now();
    source = new EventSource(address());
    source.onerror = lost;
    listen(source, "beat");
    listen(source, "login");
    for (const [name, handle] of Object.entries(handlers)) listen(source, name, handle);
  }

  // By the clock on the wall: the timers of a machine that sleeps sleep with it.
  function look() {
    const now = Date.now();
    if (document.hidden) return;
    if (source) {
      if (Math.abs(now - heardAt) > SILENCE_MS) lost();
    } else if (Math.abs(now - lostAt) > RETRY_MS) {
      open();
    }
  }

  function hide() {
    close();
    away("connecting");
  }

  function show() {
    if (document.hidden) hide();
    else if (!source) open();
  }

  document.addEventListener("visibilitychange", show);
  window.addEventListener("pagehide", hide);
  window.addEventListener("pageshow", show);
  window.addEventListener("offline", lost);
  window.addEventListener("online", show);
  setInterval(look, TICK_MS);
  show();
}

// Shows a state of the connection in a `.link` line, whose texts are its data attributes.
export function showLink(line, state) {
  if (line.dataset.link === state) return;
  line.dataset.link = state;
  line.textContent = line.dataset[state];
}
