// What all pages share: elements, what the browser keeps, the language, the theme, and asking the server.

export const $ = id => document.getElementById(id);

/// An element with a text; a text is only ever text.
export function node(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/// A button with what it does.
export function button(text, className, action) {
  const element = node("button", text, className);
  element.type = "button";
  element.onclick = action;
  return element;
}

// MARK: - What the browser keeps

export const store = {
  read(name, otherwise) {
    try { return JSON.parse(localStorage.getItem("firefly." + name)) ?? otherwise; } catch { return otherwise; }
  },
  /// false when the browser has no room left.
  write(name, value) {
    try { localStorage.setItem("firefly." + name, JSON.stringify(value)); return true; } catch { return false; }
  },
};

/// {language, theme, key, model, and the sampling fields that are set}
export const settings = store.read("settings", {});
export const keepSettings = () => store.write("settings", settings);

// MARK: - Language and theme

let words = { en: {}, zh: {} };
export const language = () => settings.language ?? (navigator.language.startsWith("zh") ? "zh" : "en");
/// The text of `key` in the reader's language, `{0}`, `{1}` … in it being the values.
export const say = (key, ...values) => words[language()][key].replace(/\{(\d)\}/g, (_, n) => values[n]);

/// Writes the page's fixed texts: data-text, data-title, data-label and data-placeholder name them. All but the first are also
/// what a screen reader says of an element.
function showWords() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  for (const element of document.querySelectorAll("[data-title]")) {
    element.title = say(element.dataset.title);
    element.setAttribute("aria-label", element.title);
  }
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.placeholder = say(element.dataset.placeholder);
    element.setAttribute("aria-label", element.placeholder);
  }
}

function showTheme() { document.documentElement.dataset.theme = settings.theme ?? ""; }

/// Sets the page's words, {en: {key: text}, zh: …}, and wires its buttons #language and #theme.
///
/// - Parameter changed: called when the language has changed.
export function begin(table, changed) {
  words = table;
  showTheme();
  showWords();
  $("language").onclick = () => {
    settings.language = language() === "zh" ? "en" : "zh";
    keepSettings();
    showWords();
    changed();
  };
  $("theme").onclick = () => {
    const order = ["", "light", "dark"];
    settings.theme = order[(order.indexOf(settings.theme ?? "") + 1) % order.length];
    keepSettings();
    showTheme();
  };
}

// MARK: - The server

export const headers = () => ({
  "Content-Type": "application/json", ...(settings.key ? { Authorization: "Bearer " + settings.key } : {}),
});

/// What went wrong: {code, type, message}, the server's words being English.
export class Problem extends Error {
  constructor({ code, type, message }) {
    super(message);
    this.code = code;
    this.type = type;
  }
  /// A refusal as the server put it, or as a proxy did that stands before it.
  static async of(response) {
    try { return new Problem((await response.json()).error); } catch {
      return new Problem({ code: "status", message: `${response.status} ${response.statusText}` });
    }
  }
}

/// Asks the server. Throws a `Problem` for every refusal, and when it cannot be reached.
export async function ask(path, options = {}) {
  let response;
  try { response = await fetch(path, { headers: headers(), ...options }); } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ code: "unreachable", message: error.message });
  }
  if (!response.ok) throw await Problem.of(response);
  return response;
}
