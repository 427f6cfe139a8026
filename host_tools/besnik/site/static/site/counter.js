// The counter page: everything the reader shows comes from its pins, by the stream.

import { CardTray } from "./cards.js";
import { Playback } from "./playback.js";
import { Buzzer } from "./buzzer.js";
import { openStream, showLink } from "./stream.js";
import "./menu.js";

const LOG_LINES = 6;

const counter = document.querySelector("[data-counter]");
const part = (name) => counter.querySelector(`[data-${name}]`);
const link = counter.querySelector(".link");
const device = part("device");
const light = part("light");
const tone = part("tone");
const soundSwitch = part("sound");
const log = part("signals");
const buzzer = new Buzzer();
const playback = new Playback();
const tray = new CardTray(part("tray"), device, counter, part("failed"));
let pins = {};

const COLOURS = { 0: "off", 1: "green", 2: "red", 3: "amber" };

function showPin(role, value) {
  pins[role] = value;
  const colour = COLOURS[(pins.led_green ? 1 : 0) + (pins.led_red ? 2 : 0)];
  device.dataset.colour = colour;
  light.textContent = light.dataset[colour];
}

function showTone(text, hz) {
  device.dataset.sounding = hz ? "yes" : "no";
  tone.textContent = hz ? text : tone.dataset.silent;
}

function reset(state) {
  playback.restart();
  pins = {};
  for (const [role, value] of Object.entries(state)) showPin(role, value);
  showTone("", 0);
  buzzer.play(0);
}

function addSignal(html) {
  part("quiet").hidden = true;
  log.insertAdjacentHTML("afterbegin", html);
  while (log.children.length > LOG_LINES) log.lastElementChild.remove();
}

function setLink(state) {
  showLink(link, state);
  counter.classList.toggle("away", state !== "live" && state !== "off");
  if (state === "away" || state === "lost") reset({ led_green: 0, led_red: 0 });
}

soundSwitch.addEventListener("click", async () => {
  const on = await buzzer.toggle();
  soundSwitch.setAttribute("aria-pressed", String(on));
  soundSwitch.querySelector("span").textContent = on
    ? soundSwitch.dataset.on
    : soundSwitch.dataset.off;
});

openStream(
  () => counter.dataset.stream,
  {
    link: setLink,
    tray: (html) => tray.draw(html),
    card: ({ card, present }) => tray.place(card, present),
    pins: reset,
    pin: ({ role, v, t_us }) => playback.at(t_us, () => showPin(role, v)),
    tone: ({ hz, text, t_us }) =>
      playback.at(t_us, () => {
        showTone(text, hz);
        buzzer.play(hz);
      }),
    signal: addSignal,
  },
  () => {},
  setLink,
);
