// Whether somebody is still logged in. When nobody is, a bar says so and leads to the log-in in
// another tab; the page itself stays as it is, with all that was typed. After the log-in its forms
// get the token of the new session; if somebody else has logged in, the page is drawn for them.

const TOKEN = "csrfmiddlewaretoken";
const AGAIN_MS = 2_000;
const TIMEOUT_MS = 20_000;

const bar = document.querySelector("[data-again]");
let asking = false;

// Ask the server, show the bar if nobody is logged in, and hide it when somebody is again.
export async function checkSession() {
  if (!bar || asking) return;
  asking = true;
  try {
    const answer = await fetch(bar.dataset.session, { headers: { "X-Requested-With": "stream" } });
    if (answer.status === 401) {
      bar.hidden = false;
      setTimeout(checkSession, AGAIN_MS);
    } else if (answer.ok) {
      welcome(await answer.json());
    }
  } catch {
    // The server is away: what lost it says so already.
    if (!bar.hidden) setTimeout(checkSession, AGAIN_MS);
  } finally {
    asking = false;
  }
}

// Send a form by script. The answer's text says what is wrong; 401 shows the bar too.
export async function send(address, body, headers = {}) {
  const answer = await fetch(address, {
    method: "POST",
    body,
    headers: { "X-Requested-With": "fetch", ...headers },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.status === 401) checkSession();
  return answer;
}

function welcome({ staff, token }) {
  if (String(staff) !== bar.dataset.staff) {
    location.reload();
    return;
  }
  if (bar.hidden) return;
  bar.hidden = true;
  for (const field of document.querySelectorAll(`[name=${TOKEN}]`)) field.value = token;
}
