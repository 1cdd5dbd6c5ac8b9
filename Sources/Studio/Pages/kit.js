// What every part of the page uses: nodes, the studio's endpoints, words in the page's language.
import { words } from "./words.js";

export const $ = id => document.getElementById(id);

export const node = (tag, text, className) =>
  Object.assign(document.createElement(tag), { textContent: text ?? "", className: className ?? "" });

export const kept = {
  get: key => { try { return JSON.parse(localStorage.getItem("studio." + key)); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem("studio." + key, JSON.stringify(value)); } catch { /* nothing is kept */ } },
};

export const language = kept.get("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

/// The word for `key`, with {} replaced by the values in turn.
export const say = (key, ...values) => values.reduce((text, value) => text.replace("{}", () => value), words[language][key] ?? key);

export function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
}

export class Refusal extends Error {
  constructor(message, code) { super(message); this.code = code; }
}

/// Asks the studio; an error is the program's own message.
export async function ask(name, request = {}) {
  let response;
  try {
    response = await fetch("/api/" + name, { method: "POST", headers: { "Content-Type": "application/json", "Accept-Language": language }, body: JSON.stringify(request) });
  } catch { throw new Refusal(say("lost"), "lost"); }
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer.error.message, answer.error.code);
  return answer;
}

/// Runs an action of a button, which cannot be pressed meanwhile; an error goes to `place`.
export function press(button, place, action) {
  button.onclick = async () => {
    button.disabled = true;
    tell(place);
    try { await action(); } catch (error) { tell(place, error.message); }
    button.disabled = false;
  };
}

/// Shows an error's text, or takes the last one away.
export function tell(place, text = "") {
  place.hidden = !text;
  place.textContent = text;
}

export function duration(seconds) {
  const whole = Math.round(seconds), h = Math.floor(whole / 3600), m = Math.floor(whole % 3600 / 60), s = whole % 60;
  return h ? say("hours", h, m) : m ? say("minutes", m, s) : say("seconds", seconds < 10 ? +seconds.toFixed(1) : s);
}

export function facts(pairs) {
  const list = node("dl");
  for (const [name, value] of pairs.filter(([, value]) => value !== undefined && value !== null && value !== "")) {
    const box = list.appendChild(node("div"));
    box.append(node("dt", name), node("dd", value));
  }
  return list;
}

export function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => Object.assign(node("option", text), { value })));
  if (chosen !== undefined) select.value = chosen;
}

/// Calls `body` when nothing has asked for it for a while.
export function later(body, wait = 350) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(body, wait); };
}
