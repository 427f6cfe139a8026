// The owner's pages: what a form means is said while it is filled in, and a claim follows its slider.

const PAUSE_MS = 350;
const TIMEOUT_MS = 10_000;

document.documentElement.classList.add("scripted");
document.querySelector(".rooms [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

for (const form of document.querySelectorAll("form[data-try]")) sayWhile(form);
for (const form of document.querySelectorAll("form[data-claim]")) follow(form);

function sayWhile(form) {
  const place = form.querySelector("[data-words]");
  let timer = 0;
  let asked = 0;

  async function ask() {
    const turn = ++asked;
    const data = new FormData(form);
    data.set("try", "1");
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: data,
        headers: { "X-Requested-With": "fetch" },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!answer.ok || turn !== asked) return;
      const isOpen = place.querySelector("details")?.open ?? false;
      place.innerHTML = await answer.text();
      const details = place.querySelector("details");
      if (details) details.open = isOpen;
    } catch {
      // The words stay as they were; keeping the form says what is wrong.
    }
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  }

  form.addEventListener("input", later);
  if (!place.querySelector(".words")) ask();
}

function follow(form) {
  const slider = form.elements.more;
  const card = form.closest("section");
  const say = new Intl.NumberFormat(document.documentElement.lang === "fa" ? "fa-IR" : "en-US", {
    useGrouping: false,
  });
  slider.addEventListener("input", () => {
    const more = Number(slider.value);
    const per = Number(form.dataset.per);
    const claimed = (percent) => say.format(Math.floor((Number(percent) * more) / per));
    card.querySelector("[data-more]").value = say.format(more);
    card.querySelector("output[data-low]").value = claimed(form.dataset.low);
    card.querySelector("output[data-high]").value = claimed(form.dataset.high);
  });
}
