// The page of a training run, which asks for its numbers again and again.

import { $, ask, begin, node, say } from "./common.js";
import { chart } from "./chart.js";
import { short, smooth } from "./curves.js";
import { problemText } from "./problems.js";
import { words } from "./run-words.js";

/// The charts from top to bottom, each with its lines: [the log's key, the line's word, class].
const charts = [
  ["loss", [["loss", "training", "first"], ["eval_loss", "evaluation", "second"]]],
  ["rewards", [
    ["rewards/chosen", "chosen", "first"], ["rewards/rejected", "rejected", "third"], ["rewards/margins", "margin", "second"],
    ["eval_rewards/chosen", "eval:chosen", "first dashed"], ["eval_rewards/rejected", "eval:rejected", "third dashed"],
    ["eval_rewards/margins", "eval:margin", "second dashed"]]],
  ["accuracy", [
    ["rewards/accuracies", "rewardPairs", "first"], ["eval_rewards/accuracies", "eval:rewardPairs", "first dashed"],
    ["eval_token_accuracy", "tokens", "second"]]],
  ["perplexity", [["eval_perplexity", "evaluation", "second"]]],
  ["rate", [["learning_rate", "training", "first"]]],
  ["norm", [["grad_norm", "training", "first"]]],
  ["balance", [["aux_loss", "training", "first"]]],
  ["speedChart", [["tokens_per_second", "training", "first"]]],
];
const manyPoints = 30; // of a loss: a smoothed line is drawn over it

let run = null; // as /run/data gave it last

// JSON has no NaN: such a number comes as a string and is shown as what it is.
const series = (log, key) => log.filter(entry => entry[key] !== undefined && entry[key] !== null)
  .map(entry => [entry.step, Number(entry[key])]);

function duration(seconds) {
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
  if (minutes >= 60) return say("hours", Math.floor(minutes / 60), minutes % 60);
  return minutes ? say("minutes", minutes, whole % 60) : say("seconds", whole);
}

const bytes = count => count >= 2 ** 30 ? `${(count / 2 ** 30).toFixed(1)} GiB` : `${Math.round(count / 2 ** 20)} MiB`;

function show() {
  if (!run) return;
  const last = run.log.findLast(entry => entry.loss !== undefined);
  $("folder").textContent = run.output_dir;
  document.title = last ? `${say("step", last.step, run.total_steps)} · Firefly` : say("title");
  $("bar").value = last && run.total_steps ? last.step / run.total_steps : 0;
  $("bar").hidden = run.finished;
  $("status").className = last && !Number.isFinite(Number(last.loss)) ? "bad" : "soft";
  const state = run.finished ? say("finished") : last?.seconds_left !== undefined ? say("remaining", duration(last.seconds_left)) : say("running");
  tell(last ? `${say("step", last.step, run.total_steps)} · ${state}` : say("waiting"));
  showAbout(last);
  showFacts(last);
  showCharts();
  showSamples(run.samples ?? []);
}

/// The status is announced by screen readers: it is only written where it is another.
function tell(text) { if ($("status").textContent !== text) $("status").textContent = text; }

function showList(list, facts) {
  list.replaceChildren(...facts.filter(([, value]) => value !== undefined && value !== null).map(([name, value]) => {
    const box = node("div", undefined, "box");
    box.append(node("dt", say(name)), node("dd", value));
    return box;
  }));
}

/// What is trained on what, how long, how fast, with how much memory; of the whole run once it has ended.
function showAbout(last) {
  const results = run.results ?? {}, fileName = path => path.split("/").filter(Boolean).at(-1) ?? path;
  const seconds = results.train_runtime ?? last?.seconds, memory = results.peak_memory_bytes ?? last?.peak_memory_bytes;
  const speed = results.train_tokens_per_second ?? last?.tokens_per_second;
  showList($("about"), [
    ["model", run.model && fileName(run.model)], ["data", run.data?.map(fileName).join(", ")],
    ["duration", seconds && duration(seconds)], ["speed", speed && say("tokensPerSecond", short(speed))],
    ["memory", memory && bytes(memory)]]);
}

function showFacts(last) {
  const newest = key => run.log.findLast(entry => entry[key] !== undefined)?.[key];
  const number = value => value === undefined || value === null ? undefined : short(Number(value));
  showList($("facts"), last ? [
    ["loss", number(last.loss)], ["evalLoss", number(newest("eval_loss"))], ["perplexity", number(newest("eval_perplexity"))],
    ["tokenAccuracy", number(newest("eval_token_accuracy"))], ["rewardMargin", number(last["rewards/margins"])],
    ["rewardAccuracy", number(last["rewards/accuracies"])], ["rate", number(last.learning_rate)], ["norm", number(last.grad_norm)],
    ["epoch", number(last.epoch)]] : []);
}

function showCharts() {
  const shown = charts.map(([name, lines]) => [name, lines
    .map(([key, word, className]) => ({ name: say(word), className, points: series(run.log, key) }))
    .filter(line => line.points.length)]).filter(([, lines]) => lines.length);
  for (const [name, lines] of shown) if (name === "loss" && lines[0].points.length > manyPoints) {
    lines.splice(1, 0, { ...lines[0], name: say("smoothed"), points: smooth(lines[0].points) });
    lines[0].className += " raw";
  }
  // The figures stay, so that the page does not jump and a pointer stays where it is.
  const sections = new Map([...$("charts").children].map(section => [section.id, section]));
  $("charts").replaceChildren(...shown.map(([name]) => sections.get("chart-" + name) ?? section(name)));
  for (const [name, lines] of shown) {
    const part = $("chart-" + name), figure = part.querySelector("figure");
    part.querySelector("h2").textContent = say(name);
    if (!figure.matches(":hover")) chart(figure, say(name), lines);
  }
}

function section(name) {
  const section = Object.assign(node("section"), { id: "chart-" + name });
  section.append(node("h2"), node("figure"));
  return section;
}

const openPrompts = new Set();

function showSamples(samples) {
  $("samplesPart").hidden = !samples.length;
  const byPrompt = new Map();
  for (const sample of samples) byPrompt.set(sample.prompt, [...(byPrompt.get(sample.prompt) ?? []), sample]);
  $("samples").replaceChildren(...[...byPrompt].map(([prompt, answers]) => {
    const box = node("div", undefined, "box"), newest = answers.at(-1);
    box.append(node("p", prompt, "soft"), node("p", newest.answer), node("small", say("at", newest.step), "soft"));
    if (answers.length > 1) {
      const earlier = box.appendChild(node("details"));
      earlier.append(node("summary", say("before", answers.length - 1), "soft"),
        ...answers.slice(0, -1).reverse().map(answer => node("p", `${say("at", answer.step)}: ${answer.answer}`)));
      earlier.open = openPrompts.has(prompt);
      earlier.ontoggle = () => openPrompts[earlier.open ? "add" : "delete"](prompt);
    }
    return box;
  }));
}

async function poll() {
  let wait = 2000; // milliseconds
  try {
    run = await (await ask("/run/data")).json();
    show();
    if (run.finished) wait = 15_000;
  } catch (error) {
    const texts = { unreachable: say("lost"), invalid_api_key: say("keyMissing"), not_found: say("noRun") };
    $("status").className = error.code === "no_run" ? "soft" : "bad";
    tell(texts[error.code] ?? problemText(error));
    wait = 5000;
  }
  setTimeout(poll, wait);
}

begin(words, show);
let drawnWidth = 0;
new ResizeObserver(() => {
  if ($("charts").clientWidth === drawnWidth) return;
  drawnWidth = $("charts").clientWidth;
  show();
}).observe($("charts"));
poll();
