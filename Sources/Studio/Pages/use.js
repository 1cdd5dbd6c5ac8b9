// What a run has made: asked beside its base, merged, exported.
import { $, ask, fill, language, later, node, press, Refusal, say, tell } from "./kit.js";

const sides = ["chat-base", "chat-trained"];
let talks = { "chat-base": [], "chat-trained": [] }, timer;

export function begin(choices) {
  fill($("type"), choices.gguf_types.map(type => [type, type]), "f16");
  $("prompt").placeholder = say("promptHint");
  press($("chatLoad"), $("trouble"), async () => { forget(); showState(await ask("chat-open", { model: $("chatModel").value, trained: $("chatTrained").value })); });
  press($("chatUnload"), $("trouble"), async () => showState(await ask("chat-close")));
  press($("ask"), $("trouble"), askBoth);
  $("prompt").onkeydown = event => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("ask").click(); } };
  $("forget").onclick = forget;
  for (const id of ["kind", "writeModel", "writeAdapter", "onto", "type", "out", "probe", "overwrite"]) $(id).oninput = showWriting;
  press($("writeButton"), $("writeTrouble"), async () => { await ask("convert", writing()); await watchJobs(); });
  showWriting();
}

export async function shown(tab) {
  const { runs } = await ask("runs").catch(() => ({ runs: [] }));
  $("trainedNames").replaceChildren(...runs.filter(run => run.state !== "failed").map(run => Object.assign(node("option", run.name), { value: run.output_dir })));
  if (tab === "chat") showState(await ask("chat-state"));
  else watchJobs();
}

export function choose(model, trained) { $("chatModel").value = model; $("chatTrained").value = trained; }

// MARK: Chat

function showState(state) {
  clearTimeout(timer);
  $("ask").disabled = state.state !== "ready";
  $("chatUnload").disabled = state.state === "empty";
  $("chatState").className = state.state === "failed" ? "bad" : "soft";
  $("chatState").textContent = state.state === "failed" ? state.error : state.state === "loading" ? say("loading", Math.round(state.share * 100)) : say("chat_" + state.state);
  if (state.model && !$("chatModel").value) choose(state.model, state.trained);
  if (state.state === "loading") timer = setTimeout(async () => { try { showState(await ask("chat-state")); } catch (error) { tell($("trouble"), error.message); } }, 400);
}

function forget() {
  talks = { "chat-base": [], "chat-trained": [] };
  for (const side of sides) $(side).replaceChildren();
}

async function askBoth() {
  const text = $("prompt").value.trim();
  if (!text) return;
  $("prompt").value = "";
  await Promise.all(sides.map(side => answer(side, text)));
}

/// Sends the conversation of one side, and shows its answer as it comes.
async function answer(side, text) {
  const talk = talks[side], place = node("p");
  talk.push({ role: "user", content: text });
  $(side).append(node("p", text, "mine"), place);
  place.textContent = "…";
  try {
    const response = await fetch("/api/" + side, { method: "POST", headers: { "Content-Type": "application/json", "Accept-Language": language },
      body: JSON.stringify({ model: side, messages: talk, stream: true, temperature: Number($("temperature").value), max_tokens: Number($("mostTokens").value) }) });
    if (!response.ok) throw new Refusal((await response.json()).error.message);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "", content = "", reason;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const events = (rest + part.value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const data = event.replace(/^data: /, "");
        if (data === "[DONE]") continue;
        const message = JSON.parse(data);
        if (message.error) throw new Refusal(message.error.message);
        content += (message.choices?.[0]?.delta?.reasoning_content ?? "") + (message.choices?.[0]?.delta?.content ?? "");
        reason = message.choices?.[0]?.finish_reason ?? reason;
        place.textContent = content;
      }
    }
    if (reason === "length") $(side).append(node("small", say("cutAtLimit"), "soft"));
    if (!content) place.textContent = say("emptyAnswer");
    talk.push({ role: "assistant", content });
  } catch (error) {
    talk.pop();
    place.className = "bad";
    place.textContent = error.message;
  }
}

// MARK: Merge and export

export function chooseForWriting(model, trained, isAdapter) {
  $("writeModel").value = isAdapter ? model : trained;
  $("writeAdapter").value = isAdapter ? trained : "";
  if (!isAdapter) $("kind").value = "export";
  $("out").value = trained.replace(/\/+$/, "") + ($("kind").value === "merge" ? "-merged" : `-${$("type").value}.gguf`);
  showWriting();
}

const writing = () => ({ kind: $("kind").value, model: $("writeModel").value, adapter: $("writeAdapter").value, out: $("out").value, onto: $("onto").value,
  type: $("type").value, probe: $("probe").checked, overwrite: $("overwrite").checked });

function showWriting(event) {
  const isMerge = $("kind").value === "merge";
  $("typeLabel").hidden = isMerge;
  $("probeLabel").hidden = !isMerge;
  if (["kind", "type"].includes(event?.target?.id)) $("out").value = $("out").value.replace(/(-merged|-[a-z0-9_]+\.gguf)$/, isMerge ? "-merged" : `-${$("type").value}.gguf`);
  showCommand();
}

const showCommand = later(async () => {
  tell($("writeTrouble"));
  $("writeButton").disabled = true;
  const request = writing();
  if (!request.model || !request.out) { $("outPath").textContent = ""; $("writeCommand").textContent = ""; return; }
  try {
    const { command, out } = await ask("convert", { ...request, dry: true });
    $("writeCommand").textContent = command;
    $("outPath").textContent = out;
    $("writeButton").disabled = false;
  } catch (error) { tell($("writeTrouble"), error.message); }
}, 200);

async function watchJobs() {
  clearTimeout(timer);
  const { jobs } = await ask("conversions");
  $("jobs").replaceChildren(...jobs.toReversed().map(job => {
    const box = node("section");
    box.append(node("h2", say("job_" + job.state)), node("code", job.command), node("p", job.out, "path soft"), node("pre", job.log, job.state === "failed" ? "log bad" : "log"));
    return box;
  }));
  if (!$("write").hidden && jobs.some(job => job.state === "running")) timer = setTimeout(() => watchJobs().catch(error => tell($("trouble"), error.message)), 1000);
}
