// An event stream that comes back by itself, and knows when it is away.
//
// EventSource alone gives up on an HTTP error and does not notice a silent network: a beat from
// the server every 10 s is expected, and a new stream is opened when none came.
// A hidden page lets its stream go: a browser allows six connections to one server over
// HTTP/1.1, and a forgotten tab must not starve the one in front.

const SILENCE_MS = 25_000;
const RETRY_MS = 1_000;

// `handlers` maps an event's name to a function of its decoded data; `onLost` is called when
// the stream is away.
export function openStream(url, handlers, onLost) {
  let source = null;
  let silence = 0;
  let retry = 0;

  function heard() {
    clearTimeout(silence);
    silence = setTimeout(lost, SILENCE_MS);
  }

  function close() {
    clearTimeout(silence);
    clearTimeout(retry);
    source?.close();
    source = null;
  }

  function lost() {
    close();
    onLost();
    retry = setTimeout(open, RETRY_MS);
  }

  function open() {
    close();
    source = new EventSource(url);
    source.onerror = lost;
    source.addEventListener("beat", heard);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        heard();
        handle(JSON.parse(event.data));
      });
    }
    heard();
  }

  function show() {
    if (document.hidden) close();
    else if (!source) open();
  }

  document.addEventListener("visibilitychange", show);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", show);
  show();
}

// Shows a state of the connection in a `.link` line, whose texts are its data attributes.
export function showLink(line, state) {
  if (line.dataset.link === state) return;
  line.dataset.link = state;
  line.textContent = line.dataset[state];
}
