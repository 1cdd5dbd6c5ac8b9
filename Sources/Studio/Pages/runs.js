// The runs of the folder: one watched while it goes on, or several compared.
import { $, ask, duration, facts, node, press, say, tell } from "./kit.js";
import { chart, series } from "./chart.js";
import { short, smooth } from "./curves.js";

let chosen, compared = new Set(), targets, openParts = new Set(), timer;
let listedAt = 0, shownRun = "";
const listEvery = 6000;  // milliseconds; the folder is searched for runs

export function begin(given) {
  targets = given;
  press($("openRun"), $("trouble"), () => open($("otherRun").value.trim()));
  press($("compareButton"), $("trouble"), compare);
}

export const shown = () => { listedAt = 0; shownRun = ""; return watch(); };

export async function open(id) {
  chosen = id;
  openParts = new Set();
  await shown();
}

/// Looks again and again while the tab is open.
async function watch() {
  clearTimeout(timer);
  let wait = 3000;
  try {
    if (Date.now() - listedAt > listEvery) await list();
    const asked = chosen;
    if (asked) {
      const run = await ask("run", { run: asked }), text = JSON.stringify(run);
      if (asked === chosen && text !== shownRun) show(run);  // what has not changed stays as it is under the reader's hand
      if (asked === chosen) shownRun = text;
      if (run.state === "running") wait = 1500;
    }
    tell($("trouble"));
  } catch (error) { tell($("trouble"), error.message); wait = 5000; }
  clearTimeout(timer);
  if (!$("runs").hidden) timer = setTimeout(watch, wait);
}

async function list() {
  const { runs } = await ask("runs");
  listedAt = Date.now();
  $("runList").replaceChildren(...(runs.length ? runs.map(entry) : [node("p", say("noRuns"), "soft")]));
  $("compareButton").disabled = compared.size < 2;
}

function entry(run) {
  const item = node("li", "", run.id === chosen ? "chosen" : ""), box = Object.assign(node("input"), { type: "checkbox", checked: compared.has(run.id), title: say("compareThis") });
  box.setAttribute("aria-label", `${say("compareThis")}: ${run.name}`);
  box.onchange = () => { compared[box.checked ? "add" : "delete"](run.id); $("compareButton").disabled = compared.size < 2; };
  const button = node("button");
  button.append(node("b", run.name), node("small", [stateOf(run), run.step ? say("stepOf", run.step, run.total_steps) : "", run.loss != null ? `${say("loss")} ${short(Number(run.loss))}` : ""].filter(Boolean).join(" · ")));
  button.onclick = () => open(run.id);
  item.append(box, button);
  return item;
}

const stateOf = run => say(run.state === "running" && run.stopping ? "state_stopping" : run.state === "running" && !run.step ? "state_preparing" : "state_" + run.state);

function part(name, ...content) {
  const section = node("section");
  section.append(node("h2", say(name)), ...content);
  return section;
}

/// The width of a curve that takes all of the view.
const wide = () => Math.max(320, $("runView").clientWidth - 50);

/// What opens and closes, and stays as it is while the run is watched.
function folded(name, ...content) {
  const box = node("details");
  box.open = openParts.has(name);
  box.ontoggle = () => openParts[box.open ? "add" : "delete"](name);
  box.append(node("summary", say(name)), ...content);
  return box;
}

function show(run) {
  const log = run.data?.log ?? [], last = log.findLast(e => e.loss !== undefined);
  const bar = Object.assign(document.createElement("progress"), { max: run.total_steps ?? 1, value: run.step ?? 0 });
  const status = [stateOf(run), run.pid ? say("process", run.pid) : "", run.step ? say("stepOf", run.step, run.total_steps) : "", run.seconds_left != null ? say("left", duration(run.seconds_left)) : ""].filter(Boolean).join(" · ");
  const results = run.results ?? {};
  const head = node("section");
  head.append(node("h2", run.name), Object.assign(node("p", status), { id: "runStatus" }), bar,
    facts([[say("loss"), last && short(Number(last.loss))], [say("evalLoss"), value(log, "eval_loss")], [say("rate"), last && short(Number(last.learning_rate))],
           [say("speed"), last && short(Number(last.tokens_per_second))], [say("norm"), last && short(Number(last.grad_norm))], [say("accuracy"), value(log, "rewards/accuracies")],
           [say("duration"), results.train_runtime && duration(results.train_runtime)], [say("peak"), results.peak_memory_bytes && `${(results.peak_memory_bytes / 2 ** 30).toFixed(2)} GiB`]]),
    node("p", run.output_dir, "path soft"), ...(run.error ? [node("p", run.error, "bad")] : []), actions(run));
  const losses = series(log, "loss"), many = losses.length > 30;
  const curve = chart([{ points: losses, className: many ? "k0 faint" : "k0", name: many ? undefined : say("loss") }, ...(many ? [{ points: smooth(losses), className: "k0", name: say("lossSmooth") }] : []),
    { points: series(log, "eval_loss"), className: "k1", name: say("evalLoss") }].filter(line => line.points.length), 260, wide());
  const smaller = node("div", "", "pair");
  smaller.append(part("rate", chart([{ points: series(log, "learning_rate"), className: "k0", name: say("rate") }], 170, wide() / 2)), part("speed", chart([{ points: series(log, "tokens_per_second"), className: "k0", name: say("speed") }], 170, wide() / 2)));
  const printed = node("pre", run.log ?? "", "log");
  replace($("runView"), head, part("loss", curve), smaller, ...samples(run.data?.samples ?? []),
    part("details", ...(run.checkpoints.length ? [folded("checkpoints", ...checkpoints(run))] : []), ...(run.log ? [folded("printed", node("p", run.log_file, "path soft"), printed)] : []), folded("settings", node("p", run.config, "path soft"), node("pre", JSON.stringify(run.settings, null, 2), "log")),
      node("p", say("byHand"), "soft"), node("pre", `${run.command}\n${run.command} --resume`, "log")));
  printed.scrollTop = printed.scrollHeight;
}

/// New content without moving what the reader looks at.
function replace(view, ...content) {
  const place = scrollY;
  view.replaceChildren(...content);
  scrollTo(0, place);
}

const value = (log, key) => { const points = series(log, key); return points.length ? short(points.at(-1)[1]) : undefined; };

function actions(run) {
  const row = node("div", "", "row");
  const add = (name, action, className) => press(row.appendChild(node("button", say(name), className)), $("trouble"), action);
  if (run.state === "running") add(run.stopping ? "stopNow" : "stop", async () => { await ask("stop", { run: run.id }); await shown(); }, "main");
  if (run.state === "stopped" || run.state === "failed" && run.checkpoints.length) add("resume", async () => { const went = await ask("resume", { run: run.id }); await open(went.id); }, "main");
  const result = run.state === "finished" ? run.output_dir : run.checkpoints.at(-1)?.path;
  if (result) useButtons(row, run, result);
  if (run.state === "running") row.append(node("span", say(run.stopping ? "stoppingHint" : "stopHint"), "soft"));
  return row;
}

/// What can be done with a folder that a run has written.
function useButtons(row, run, folder) {
  const model = run.settings?.model_name_or_path ?? "", isAdapter = run.settings?.train_mode !== "full";
  press(row.appendChild(node("button", say("chatWith"))), $("trouble"), () => targets.chat(model, folder));
  press(row.appendChild(node("button", say("writeIt"))), $("trouble"), () => targets.write(model, folder, isAdapter));
}

function checkpoints(run) {
  return run.checkpoints.map(checkpoint => {
    const row = node("div", "", "row");
    row.append(node("span", say("atStep", checkpoint.step)), node("span", checkpoint.path, "path soft"));
    useButtons(row, run, checkpoint.path);
    return row;
  });
}

function samples(list) {
  if (!list.length) return [];
  const byPrompt = new Map();
  for (const sample of list) byPrompt.set(sample.prompt, [...(byPrompt.get(sample.prompt) ?? []), sample]);
  return [part("samples", ...[...byPrompt].map(([prompt, answers]) => {
    const box = node("div", "", "sample");
    box.append(node("p", prompt, "soft"), node("pre", answers.at(-1).answer), node("small", say("atStep", answers.at(-1).step), "soft"));
    if (answers.length > 1) {
      const earlier = folded("earlier", ...answers.slice(0, -1).reverse().map(a => node("pre", `${say("atStep", a.step)}: ${a.answer}`, "soft")));
      box.append(earlier);
    }
    return box;
  }))];
}

// MARK: Comparing

async function compare() {
  const found = await ask("compare", { runs: [...compared] });
  chosen = undefined;
  const names = found.runs.map(run => run.id.split("/").filter(Boolean).at(-1));
  const lines = found.runs.flatMap((run, i) => {
    const losses = series(run.data?.log ?? [], "loss"), many = losses.length > 30, evaluated = series(run.data?.log ?? [], "eval_loss");
    return [...(many ? [{ points: losses, className: `k${i} faint` }] : []), { points: many ? smooth(losses) : losses, className: `k${i}`, name: names[i] },
      ...(evaluated.length ? [{ points: evaluated, className: `k${i} dashed`, name: `${names[i]} ${say("evalLoss")}` }] : [])];
  });
  const table = node("table"), heading = table.insertRow();
  heading.append(...["", ...names].map(name => node("th", name)));
  for (const { key, values } of found.differences) {
    const row = table.insertRow();
    row.append(node("td", key, "path"), ...values.map(v => node("td", v === null ? "—" : typeof v === "string" ? v : JSON.stringify(v))));
  }
  $("runView").replaceChildren(part("comparison", chart(lines, 320, wide())), part("differences", found.differences.length ? table : node("p", say("noDifferences"), "soft")));
  await list();
}
