// Asking the server for answers. Each conversation has a request of its own, so one does not wait for another.

import { ask, Problem, settings } from "./common.js";
import { takeBack } from "./conversations.js";

/// The settings that are sent with a request where they are set.
export const fields = ["temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "seed"];

/// By conversation that is being answered: {turn, abort}.
const running = new Map();

export const runningTurn = chat => running.get(chat)?.turn;
export const stop = chat => running.get(chat)?.abort.abort();

/// - Parameter versions: of the answer, where there were others; see conversations.js.
/// - Parameter changed: called with the turn when it has grown, and, with `true` beside it, at its end.
export async function answer(chat, model, versions, changed) {
  const body = request(chat, model), abort = new AbortController(), turn = { role: "assistant", content: "" };
  if (versions) turn.versions = versions;
  chat.turns.push(turn);
  running.set(chat, { turn, abort });
  changed(turn, false);
  try {
    const response = await ask("/v1/chat/completions", { method: "POST", body: JSON.stringify(body), signal: abort.signal });
    await read(response.body, turn, () => changed(turn, false));
  } catch (error) {
    if (error.name === "AbortError") turn.stopped = true;
    else turn.error = error instanceof Problem ? { code: error.code, type: error.type, message: error.message }
      : { code: "unreachable", message: error.message };
  }
  running.delete(chat);
  if (!turn.content && !turn.error) takeBack(chat);
  changed(turn, true);
}

function request(chat, model) {
  const messages = chat.turns.filter(turn => turn.content).map(({ role, content }) => ({ role, content }));
  if (chat.system) messages.unshift({ role: "system", content: chat.system });
  const body = { model, messages, stream: true, stream_options: { include_usage: true } };
  for (const name of fields) if (settings[name] !== undefined) body[name] = settings[name];
  return body;
}

/// Reads server-sent events into the turn.
async function read(stream, turn, grown) {
  const decoder = new TextDecoder(), reader = stream.getReader();
  let rest = "", first = 0;
  for (;;) {
    const { value, done } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: ?/, "");
      if (!event.startsWith("data:") || data === "[DONE]") continue;
      const chunk = JSON.parse(data), choice = chunk.choices?.[0];
      if (chunk.error) throw new Problem(chunk.error);
      if (choice?.delta?.content) {
        first ||= performance.now();
        turn.content += choice.delta.content;
      }
      if (choice?.finish_reason === "length") turn.cut = true;
      const count = chunk.usage?.completion_tokens;
      if (count > 1 && first) turn.rate = (count - 1) / (performance.now() - first) * 1000;
    }
    if (done) return;
    grown();
  }
}
