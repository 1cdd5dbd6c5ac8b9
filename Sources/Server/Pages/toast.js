// A line that comes and goes: the page's #toast, with a place for a text and a button.

import { $ } from "./common.js";

let timer;

/// Tells something for ten seconds, longer where the reader is at it, with a button that does something about it.
export function tell(text, action, act) {
  const toast = $("toast"), [line, undo] = toast.children;
  line.textContent = text;
  undo.textContent = action ?? "";
  undo.hidden = !action;
  undo.onclick = () => {
    toast.hidden = true;
    act();
  };
  toast.hidden = false;
  if (action) undo.focus();
  clearInterval(timer);
  timer = setInterval(() => {
    if (!toast.matches(":is(:hover, :focus-within)")) toast.hidden = true;
  }, 10_000);
}
