// A new run: model, settings, plan, start. The settings are one object, which the fields and the JSON both show.
import { $, ask, duration, facts, fill, language, later, node, press, say, tell } from "./kit.js";
import { beginData } from "./data.js";

let choices, settings = { model_name_or_path: "", train_file: "", output_dir: "" }, opened;
let outputIsOwn = false;  // the user has written it

export async function begin(given, open) {
  choices = given;
  opened = open;
  for (const group of choices.settings) for (const { key, value } of group.keys) settings[key] = value;
  fill($("keyNames"), Object.keys(choices.keys).map(key => [key, key]));
  beginData(() => settings, path => { settings.train_file = path; changed(); });
  $("name").value = await freeName();
  for (const [id, key] of [["model", "model_name_or_path"], ["data", "train_file"]]) $(id).oninput = () => {
    settings[key] = valueOf($(id).value, settings[key]);
    changed($(id));
  };
  $("name").oninput = () => { setOutput(); changed($("name")); };
  $("output").oninput = () => { outputIsOwn = true; settings.output_dir = $("output").value; changed($("output")); };
  $("json").oninput = readJSON;
  $("modelList").onchange = () => { settings.model_name_or_path = $("modelList").value; changed(); };
  $("addKey").onclick = addKey;
  $("newKey").onkeydown = event => { if (event.key === "Enter") addKey(); };
  press($("planButton"), trouble("planResult"), plan);
  $("startButton").onclick = () => start(false);
  $("replaceYes").onclick = () => start(true);
  $("replaceNo").onclick = () => { $("replaceBox").hidden = true; };
  setOutput();
  changed();
  await listModels();
}

export const shown = () => { if (choices) listModels(); };

/// A place for an error before what a button brings.
function trouble(id) {
  const place = node("p", "", "bad");
  place.hidden = true;
  $(id).before(place);
  return place;
}

async function freeName() {
  const taken = new Set((await ask("runs")).runs.map(run => run.name));
  for (let number = 1; ; number++) if (!taken.has(`run-${number}`)) return `run-${number}`;
}

async function listModels() {
  const models = await ask("models"), list = $("modelList");
  const groups = [["modelsCached", models.cached], ["modelsFolder", models.folder]].filter(([, list]) => list.length).map(([key, found]) => {
    const group = Object.assign(document.createElement("optgroup"), { label: say(key) });
    group.append(...found.map(model => Object.assign(node("option", shortPath(model.name)), { value: model.name, title: model.path })));
    return group;
  });
  list.replaceChildren(Object.assign(node("option", groups.length ? say("chooseModel") : say("noModels")), { value: "", disabled: true, selected: true }), ...groups);
  list.value = settings.model_name_or_path ?? "";
  if (list.selectedIndex < 0) list.selectedIndex = 0;
}

const shortPath = path => path.startsWith(choices.folder + "/") ? path.slice(choices.folder.length + 1) : path;

// MARK: Settings

function setOutput() {
  if (!outputIsOwn) settings.output_dir = `${choices.folder}/studio/${$("name").value}/output`;
}

/// Shows the settings everywhere but where they are being written, and has them judged.
function changed(writing) {
  const set = (id, text) => { if ($(id) !== writing) $(id).value = text; };
  set("model", settings.model_name_or_path ?? "");
  set("data", typeof settings.train_file === "object" ? JSON.stringify(settings.train_file) : settings.train_file ?? "");
  set("output", settings.output_dir ?? "");
  set("json", JSON.stringify(settings, null, 2));
  $("configPath").textContent = `${choices.folder}/studio/${$("name").value}/config.json\n${settings.output_dir ?? ""}`;
  $("command").textContent = `firefly train ${quoted(`${choices.folder}/studio/${$("name").value}/config.json`)}`;
  if (!writing?.closest("#fields")) showFields();
  $("replaceBox").hidden = true;
  tell($("startTrouble"));
  judge();
}

const quoted = word => /^[\w./=:@,+-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

function showFields() {
  const known = new Set(["model_name_or_path", "train_file", "output_dir"]), groups = [];
  for (const group of choices.settings) {
    const keys = group.keys.map(pair => pair.key).filter(key => key in settings);
    keys.forEach(key => known.add(key));
    groups.push([say("group_" + group.group), keys]);
  }
  groups.push([say("group_more"), Object.keys(settings).filter(key => !known.has(key))]);
  $("fields").replaceChildren(...groups.filter(([, keys]) => keys.length).map(([title, keys]) => {
    const box = node("div", "", "group");
    box.append(node("h3", title), ...keys.map(field));
    return box;
  }));
}

/// A field by the kind of the value that the setting has.
function field(key) {
  const row = node("div", "", "field"), value = settings[key], name = node("code");
  for (const part of key.split(/(?<=_)/)) name.append(part, document.createElement("wbr"));
  let input;
  if (choices.words[key]) {
    input = document.createElement("select");
    fill(input, choices.words[key].map(word => [word, word]), value);
    if (input.selectedIndex < 0) input.prepend(Object.assign(node("option", String(value)), { value, selected: true }));
  } else if (Array.isArray(value) && value.every(item => typeof item === "string")) {
    input = Object.assign(document.createElement("textarea"), { rows: 2, value: value.join("\n"), placeholder: say("oneALine") });
  } else {
    input = document.createElement("input");
    if (typeof value === "boolean") Object.assign(input, { type: "checkbox", checked: value });
    else input.value = value === null ? "" : typeof value === "object" ? JSON.stringify(value) : value;
  }
  input.id = "key-" + key;
  input.setAttribute("aria-label", key);
  input.oninput = () => { settings[key] = input.type === "checkbox" ? input.checked : valueOf(input.value, value); changed(input); };
  const remove = Object.assign(node("button", "×"), { title: say("removeKey") });
  remove.setAttribute("aria-label", `${say("removeKey")}: ${key}`);
  remove.onclick = () => { delete settings[key]; changed(); };
  row.append(name, input, remove);
  const meaning = choices.keys[key]?.[language];
  if (meaning) row.append(node("p", meaning, "meaning"));
  return row;
}

/// What was written, in the kind that the value had: what does not fit is passed on, for the reader of configurations to judge.
function valueOf(text, before) {
  if (Array.isArray(before) && !text.trim().startsWith("[")) return text.split("\n").filter(line => line.trim());
  if (before === null && !text.trim()) return null;
  const looksLikeJSON = /^\s*[[{]/.test(text);
  if (typeof before === "string" && !looksLikeJSON) return text;
  try { return JSON.parse(text); } catch { /* a number as people write it, or a word */ }
  return text.trim() && Number.isFinite(Number(text)) ? Number(text) : text;
}

function addKey() {
  const key = $("newKey").value.trim();
  if (!key || key in settings) return;
  settings[key] = choices.keys[key]?.default ?? null;
  $("newKey").value = "";
  changed();
  $("key-" + key)?.focus();
}

function readJSON() {
  try {
    const value = JSON.parse($("json").value);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError(say("noObject"));
    settings = value;
    outputIsOwn = true;
    changed($("json"));
  } catch (error) { tellJudgement([error.message], "bad"); }
}

function tellJudgement(lines, className) {
  $("judgement").replaceChildren(...lines.map(line => node("p", line, className)));
  $("startButton").disabled = className === "bad";
}

const judge = later(async () => {
  if (!settings.model_name_or_path || !settings.train_file) {
    tellJudgement([say("chooseBoth")], "soft");
    $("startButton").disabled = true;
    return;
  }
  try {
    const { notices } = await ask("check", { config: settings });
    tellJudgement(notices.length ? notices : [say("inOrder")], notices.length ? "soft" : "good");
  } catch (error) { tellJudgement([error.message], "bad"); }
});

// MARK: Plan and start

async function plan() {
  $("planResult").replaceChildren(node("p", say("planning"), "soft"));
  let found;
  try { found = await ask("plan", { config: settings }); } catch (error) { $("planResult").replaceChildren(); throw error; }
  const table = node("table"), most = Math.max(...found.parts.map(part => part.bytes));
  for (const part of found.parts) {
    const row = table.insertRow(), bar = node("i");
    bar.style.width = `${100 * part.bytes / most}%`;
    row.append(node("td", part.part), node("td", part.size, "number"), node("td", "", "bar"));
    row.lastChild.append(bar);
  }
  const details = node("details");
  details.append(node("summary", say("planLines")), ...found.summary.map(line => node("p", line, "soft")));
  $("planResult").replaceChildren(
    facts([[say("steps"), found.steps], [say("time"), "≈ " + duration(found.seconds)], [say("timePerStep"), "≈ " + duration(found.seconds_per_step)],
           [say("memory"), found.peak_memory], [say("memoryLimit"), found.limit], [say("checkpoint"), found.checkpoint],
           [say("rowsKept"), found.rows], [say("trainable"), found.trainable_parameters.toLocaleString()]]),
    node("p", found.fits ? say("fits") : found.advice.join("\n"), found.fits ? "good" : "bad"), table,
    ...found.notices.map(line => node("p", line, "soft")), details);
}

async function start(replace) {
  $("startButton").disabled = true;
  $("replaceBox").hidden = true;
  if (replace && settings.overwrite_output_dir !== true) { settings.overwrite_output_dir = true; changed(); }
  try {
    const run = await ask("start", { config: settings, name: $("name").value, replace });
    await opened(run.id);
    $("name").value = await freeName();
    outputIsOwn = false;
    delete settings.overwrite_output_dir;
    setOutput();
    changed();
  } catch (error) {
    if (error.code === "exists") {
      $("replaceText").textContent = `${error.message} ${say("replaceQuestion")}`;
      $("replaceBox").hidden = false;
    } else tell($("startTrouble"), error.message);
  }
  $("startButton").disabled = false;
}
