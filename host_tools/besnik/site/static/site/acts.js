// Everything a cashier does is a form that works without this script. With it, the page stays:
// a sheet is sent, and the answer is the stage anew, or the sheet again with what is wrong in it.
//
// Each sheet carries a key of its own, so that sending it twice does it once.

import { focusFirst, fragment } from "./stage.js";

const TIMEOUT_MS = 20_000;

export class Acts {
  #stage;
  #failed;

  constructor(till, stage, failed) {
    this.#stage = stage;
    this.#failed = failed;
    till.addEventListener("submit", (event) => this.#submit(event));
    till.addEventListener("click", (event) => this.#click(event));
  }

  // Show the member behind an address.
  async serve(address) {
    await this.#try(async () => this.#stage.show(await ask(address)));
  }

  // Run `work`; when it cannot be done, say so and keep what is there.
  async #try(work) {
    this.#failed.hidden = true;
    try {
      await work();
    } catch {
      this.#failed.hidden = false;
    }
  }

  #click(event) {
    const panel = event.target.closest("a[data-panel]");
    if (panel) {
      event.preventDefault();
      this.#try(async () => this.#stage.open(fragment(await ask(panel.href)).firstElementChild));
    } else if (event.target.closest("[data-discard]")) {
      event.preventDefault();
      this.#stage.discard();
    } else if (event.target.closest("[data-back]")) {
      if (this.#stage.back()) event.preventDefault();
    }
  }

  #submit(event) {
    const form = event.target.closest("form[data-act]");
    if (!form) return;
    event.preventDefault();
    if (!form.dataset.sending) this.#send(form);
  }

  async #send(form) {
    form.dataset.sending = "yes";
    form.ariaBusy = "true";
    await this.#try(async () => {
      const answer = await ask(form.action, { method: "POST", body: new FormData(form) });
      delete form.dataset.sending;
      this.#receive(form, answer);
    });
    delete form.dataset.sending;
    form.ariaBusy = "false";
  }

  // The stage anew; or a sheet, which takes the place of the one that was sent.
  #receive(form, html) {
    const drawn = fragment(html);
    if (drawn.querySelector(".board")) {
      delete form.dataset.touched;
      form.closest("[data-done-strip]")?.remove();
      this.#stage.show(html);
      return;
    }
    const sheet = drawn.firstElementChild;
    sheet.dataset.touched = "yes";
    if (form.matches(".sheet") && form.isConnected) {
      if (form.hasAttribute("data-over")) sheet.dataset.over = "";
      form.replaceWith(sheet);
      focusFirst(sheet);
    } else {
      this.#stage.open(sheet);
    }
  }
}

// Return what the server answers; anything but a page is an error.
export async function ask(address, options = {}) {
  const answer = await fetch(address, {
    ...options,
    headers: { "X-Requested-With": "fetch" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
}
