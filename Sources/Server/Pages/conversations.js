// The conversations that the browser keeps, and what is being written in each.
//
// A conversation is {id, title, system, turns}; a turn is {role, content} with what is known of an answer: rate, cut, stopped,
// error. Nothing that was said is thrown away by editing or asking again: a turn's `versions`, {at, tails}, has what stood from
// there on in the other versions; tails[at] is null, since the turns of that version stand in the conversation.

import { store } from "./common.js";

export const chats = store.read("chats", []);
/// By conversation: {text, edit, before}: what stands in the input; the place of the turn that it edits; what stood there
/// before that.
const drafts = store.read("drafts", {});
const newDraft = "new"; // of the conversation that is not begun yet

export const blank = () => ({ id: Date.now() + "-" + Math.random().toString(36).slice(2), title: "", system: "", turns: [] });

/// false when the browser has no room for them.
export const keepChats = () => store.write("chats", chats);

/// Enters a conversation that has begun into the list.
export function enter(chat) {
  if (chats.includes(chat)) return;
  setDraft(chat, {});
  chats.unshift(chat);
}

/// Takes a conversation out. Returns what puts it back.
export function remove(chat) {
  const place = chats.indexOf(chat), draft = draftOf(chat);
  setDraft(chat, {});
  chats.splice(place, 1);
  keepChats();
  return () => {
    chats.splice(place, 0, chat);
    setDraft(chat, draft);
    keepChats();
  };
}

/// Takes over what another tab of the browser writes, so that none writes over another's conversations.
///
/// - Parameter isRunning: whether this tab has a conversation answered: such a one stays as it is here.
/// - Parameter changed: called when the list is another.
export function followOtherTabs(isRunning, changed) {
  addEventListener("storage", event => {
    if (event.key !== "firefly.chats") return;
    const here = chats.filter(isRunning), there = store.read("chats", []), byID = new Map(here.map(chat => [chat.id, chat]));
    const begun = here.filter(chat => !there.some(other => other.id === chat.id));
    chats.splice(0, chats.length, ...begun, ...there.map(chat => byID.get(chat.id) ?? chat));
    changed();
  });
}

// MARK: - Drafts

const draftName = chat => chats.includes(chat) ? chat.id : newDraft;

export const draftOf = chat => drafts[draftName(chat)] ?? {};

export function setDraft(chat, draft) {
  const name = draftName(chat);
  drafts[name] = draft.text || draft.edit !== undefined ? draft : undefined;
  store.write("drafts", { ...store.read("drafts", {}), [name]: drafts[name] });
}

// MARK: - Versions

/// Takes the turns from `place` on out of the conversation, to come back as another version. Returns the versions, which
/// belong to the turn that follows now.
export function putAside(chat, place) {
  const tail = chat.turns.splice(place);
  const versions = tail[0].versions ?? { at: 0, tails: [null] };
  delete tail[0].versions;
  versions.tails[versions.at] = tail;
  versions.at = versions.tails.push(null) - 1;
  return versions;
}

/// Shows another version of what stands from `place` on.
export function turnTo(chat, place, at) {
  const tail = chat.turns.splice(place), versions = tail[0].versions;
  delete tail[0].versions;
  versions.tails[versions.at] = tail;
  show(chat, versions, at);
}

/// Takes back a last turn that came to nothing; where there is a version before it, that one comes back.
export function takeBack(chat) {
  const { versions } = chat.turns.pop();
  if (!versions) return;
  versions.tails.splice(versions.at, 1);
  show(chat, versions, versions.tails.length - 1);
}

function show(chat, versions, at) {
  const place = chat.turns.length;
  chat.turns.push(...versions.tails[at]);
  if (versions.tails.length === 1) return;
  versions.tails[at] = null;
  versions.at = at;
  chat.turns[place].versions = versions;
}

// An answer that a reload cut off before its first word.
for (const chat of chats) {
  const last = chat.turns.at(-1);
  if (last?.role === "assistant" && !last.content && !last.error) takeBack(chat);
}
