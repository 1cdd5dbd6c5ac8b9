// The chat page's model box and its settings.

import { $, ask, keepSettings, node, say, settings } from "./common.js";
import { fields } from "./answers.js";
import { problemText } from "./problems.js";

// MARK: - Models

/// Fills the model box, or tells beside it why it is empty and what to do.
export async function loadModels() {
  const problem = $("modelProblem");
  try {
    const names = (await (await ask("/v1/models")).json()).data.map(model => model.id);
    $("model").replaceChildren(...names.map(name => node("option", name)));
    if (names.includes(settings.model)) $("model").value = settings.model;
    problem.hidden = true;
  } catch (error) {
    const isKey = error.code === "invalid_api_key";
    $("model").replaceChildren(Object.assign(node("option", say("noModels")), { value: "" }));
    problem.textContent = isKey ? say(settings.key ? "keyWrong" : "keyMissing") : say("retry");
    problem.title = problemText(error);
    problem.onclick = isKey ? () => openSettings("key") : load;
    problem.hidden = false;
  }
}

/// Asks the server what it has.
export async function load() {
  loadModels();
  $("runLink").hidden = await ask("/run/data").then(() => false, error => error.code !== "no_run");
}

$("model").onchange = () => {
  settings.model = $("model").value;
  keepSettings();
};

// MARK: - Settings

/// The conversation whose system text is among the settings, and what keeps it; set by `beginSettings`.
let current, keep;

export function beginSettings(currentChat, keepChat) { [current, keep] = [currentChat, keepChat]; }

function openSettings(field) {
  $("system").value = current().system;
  for (const name of fields) $(name).value = settings[name] ?? "";
  $("key").value = settings.key ?? "";
  $("dialog").showModal();
  if (field) $(field).focus();
}

$("settings").onclick = () => openSettings();
$("close").onclick = () => $("dialog").close();
$("key").onkeydown = event => {
  if (event.key !== "Enter") return;
  event.preventDefault(); // the key would press the button that has the focus then
  $("dialog").close();
};
$("reset").onclick = () => { for (const id of [...fields, "system"]) $(id).value = ""; };
$("dialog").onclose = () => {
  current().system = $("system").value.trim();
  for (const name of fields) {
    const value = $(name).valueAsNumber;
    if (Number.isFinite(value)) settings[name] = value;
    else delete settings[name];
  }
  const key = $("key").value.trim(), isNew = key !== (settings.key ?? "");
  settings.key = key;
  keepSettings();
  keep();
  if (isNew) load();
};
