// The chat page: the list of conversations, the one that is open, and what is written.

import { $, begin, button, node, say } from "./common.js";
import * as kept from "./conversations.js";
import { answer, runningTurn, stop } from "./answers.js";
import { beginSettings, load, loadModels } from "./chat-settings.js";
import { copy } from "./code.js";
import { markdown } from "./markdown.js";
import { problemNode, problemText } from "./problems.js";
import { tell } from "./toast.js";
import { words } from "./chat-words.js";

let current = kept.chats[0] ?? kept.blank();

function keep() {
  if (!kept.keepChats()) tell(say("full"));
}

// MARK: - The list

function showList() {
  $("list").replaceChildren(...kept.chats.map(chat => {
    const item = node("li", undefined, chat === current ? "current" : "");
    const title = chat.title || say("untitled");
    const open = button(title, "open", () => choose(chat));
    open.title = title;
    if (chat === current) open.setAttribute("aria-current", "true");
    if (runningTurn(chat)) {
      const mark = node("span", undefined, "running");
      mark.append(node("span", say("answering"), "unseen"));
      open.prepend(mark);
    }
    const remove = button("×", "delete", () => removeChat(chat));
    remove.title = say("remove", title);
    remove.setAttribute("aria-label", remove.title);
    item.append(open, remove);
    return item;
  }));
}

function choose(chat) {
  current = chat;
  openMenu(false);
  showAll();
  $("input").focus();
}

function removeChat(chat) {
  stop(chat);
  const putBack = kept.remove(chat);
  if (chat === current) current = kept.chats[0] ?? kept.blank();
  showAll();
  tell(say("removed", chat.title || say("untitled")), say("undo"), () => {
    putBack();
    choose(chat);
  });
}

function openMenu(isOpen) {
  document.body.classList.toggle("menu", isOpen);
  $("menu").setAttribute("aria-expanded", isOpen);
}

// MARK: - The conversation

function showTalk() {
  const talk = $("talk");
  if (!current.turns.length) talk.replaceChildren(Object.assign(node("p", say("hello"), "soft"), { id: "empty" }));
  else talk.replaceChildren(...current.turns.map(showTurn));
  talk.scrollTop = talk.scrollHeight;
}

function showTurn(turn) {
  const place = current.turns.indexOf(turn), isRunning = runningTurn(current) === turn, { edit } = kept.draftOf(current);
  const element = node("article", undefined, "turn " + turn.role), body = node("div", undefined, "body");
  if (turn.role === "user") body.textContent = turn.content;
  else body.append(markdown(turn.content));
  body.classList.toggle("cursor", isRunning);
  element.classList.toggle("aside", place >= edit); // what sending puts aside
  element.append(body, showTools(turn, place, isRunning));
  return element;
}

/// What is told of a turn, and what can be done with it.
function showTools(turn, place, isRunning) {
  const tools = node("div", undefined, "tools"), isBusy = runningTurn(current) !== undefined;
  if (turn.error) tools.append(problemNode(turn.error));
  const notes = [turn.stopped && say("stopped"), turn.rate && say("rate", turn.rate.toFixed(1)), turn.cut && say("cut")];
  const note = notes.filter(Boolean).join(" · ");
  if (note) tools.append(node("span", note));
  if (isRunning) return tools;
  if (turn.content) tools.append(button(say("copy"), "plain", event => copy(turn.content, event.currentTarget)));
  if (isBusy) return tools;
  if (turn.role === "user") tools.append(button(say("edit"), "plain", () => edit(place)));
  if (place === current.turns.length - 1) tools.append(button(say("again"), "plain", () => again(turn)));
  if (turn.versions) tools.append(...showVersions(turn.versions, place));
  return tools;
}

function showVersions({ at, tails }, place) {
  const step = (sign, name, to) => {
    const element = button(sign, "plain", () => {
      kept.turnTo(current, place, to);
      keep();
      showTalk();
    });
    element.title = say(name);
    element.setAttribute("aria-label", element.title);
    element.disabled = to < 0 || to >= tails.length;
    return element;
  };
  return [step("‹", "earlier", at - 1), node("span", say("version", at + 1, tails.length)), step("›", "later", at + 1)];
}

/// Draws the last turn anew, following the end only if the reader was there.
function redraw(turn) {
  const talk = $("talk"), atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60;
  talk.lastElementChild.replaceWith(showTurn(turn));
  if (atEnd) talk.scrollTop = talk.scrollHeight;
}

function showAll() {
  showList();
  showTalk();
  showInput();
}

// MARK: - Asking

function request(chat, versions) {
  let drawn = 0, pause = 40; // milliseconds between drawings: an answer that takes long to draw is drawn less often
  answer(chat, $("model").value, versions, (turn, isOver) => {
    if (isOver) return ended(chat, turn);
    if (!turn.content) return begun(chat);
    if (chat !== current || performance.now() - drawn < pause) return;
    drawn = performance.now();
    redraw(turn);
    pause = Math.max(40, 4 * (performance.now() - drawn));
  });
}

function begun(chat) {
  $("told").textContent = say("answeringNow");
  keep();
  if (chat === current) showAll();
  else showList();
}

function ended(chat, turn) {
  keep();
  showList();
  if (chat !== current) return;
  const talk = $("talk"), atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60, place = talk.scrollTop;
  showTalk();
  if (!atEnd) talk.scrollTop = place;
  showSend();
  $("told").textContent = turn.error ? problemText(turn.error) : talk.lastElementChild.querySelector(".body")?.textContent ?? "";
}

function again(turn) {
  request(current, turn.role === "assistant" ? kept.putAside(current, current.turns.indexOf(turn)) : undefined);
}

function send() {
  const { text = "", edit } = kept.draftOf(current), content = text.trim();
  if (!content || runningTurn(current)) return;
  const turn = { role: "user", content };
  if (edit !== undefined) turn.versions = kept.putAside(current, edit);
  current.turns.push(turn);
  current.title ||= content.replace(/\s+/g, " ").slice(0, 60);
  kept.enter(current);
  kept.setDraft(current, {});
  request(current);
}

// MARK: - Input

/// Begins to edit a turn. Nothing is lost by it: what follows stays until another version is sent, and after that too.
function edit(place) {
  const { text, before } = kept.draftOf(current);
  kept.setDraft(current, { text: current.turns[place].content, edit: place, before: before ?? text });
  const { scrollTop } = $("talk");
  showAll();
  $("talk").scrollTop = scrollTop;
  $("input").focus();
}

function cancelEdit() {
  kept.setDraft(current, { text: kept.draftOf(current).before });
  showAll();
  $("input").focus();
}

function showInput() {
  const { text, edit } = kept.draftOf(current);
  $("input").value = text ?? "";
  $("editing").hidden = edit === undefined;
  grow();
  showSend();
}

function showSend() { $("send").textContent = say(runningTurn(current) ? "stop" : "send"); }

function grow() {
  const input = $("input");
  input.style.height = "auto";
  input.style.height = input.scrollHeight + "px";
}

$("form").onsubmit = event => {
  event.preventDefault();
  if (runningTurn(current)) stop(current);
  else send();
};
$("input").oninput = () => {
  kept.setDraft(current, { ...kept.draftOf(current), text: $("input").value });
  grow();
};
$("input").onkeydown = event => {
  // While a Chinese word is being composed, Enter belongs to the input method.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  send();
};
$("cancelEdit").onclick = cancelEdit;
document.onkeydown = event => {
  if (event.key === "Escape" && !$("dialog").open) {
    if (document.body.classList.contains("menu")) openMenu(false);
    else if (runningTurn(current)) stop(current);
    else if (kept.draftOf(current).edit !== undefined) cancelEdit();
  }
  if (event.key.toLowerCase() === "o" && event.shiftKey && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    choose(kept.blank());
  }
};
$("new").onclick = () => choose(kept.blank());
$("menu").onclick = event => {
  event.stopPropagation();
  openMenu(!document.body.classList.contains("menu"));
  if (document.body.classList.contains("menu")) $("new").focus();
};
document.querySelector("main").onclick = () => openMenu(false);

// MARK: - The beginning

kept.followOtherTabs(runningTurn, () => {
  // Here it may be new, or have been deleted there.
  const same = kept.chats.find(chat => chat.id === current.id);
  if (same || current.turns.length) current = same ?? kept.chats[0] ?? kept.blank();
  showList();
  showTalk();
  showSend();
});

// What has come of an answer is kept over a reload.
addEventListener("pagehide", () => { if (kept.chats.some(runningTurn)) kept.keepChats(); });

begin(words, () => {
  showAll();
  loadModels();
});
beginSettings(() => current, keep);
showAll();
load();
$("input").focus();
