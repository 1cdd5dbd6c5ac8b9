// Code in an answer: its colours and a button that copies it.

import { button, node, say } from "./common.js";

/// Names that answers use, beside Prism's own.
const names = {
  py: "python", js: "javascript", ts: "typescript", jsx: "javascript", tsx: "typescript", sh: "bash", shell: "bash",
  console: "bash", zsh: "bash", "c++": "cpp", cc: "cpp", h: "c", hpp: "cpp", "c#": "csharp", cs: "csharp", rs: "rust",
  golang: "go", yml: "yaml", html: "markup", xml: "markup", svg: "markup", kt: "kotlin", rb: "ruby", jsonl: "json",
  patch: "diff",
};
const longest = 20_000; // characters that are coloured: an answer is drawn again and again while it grows

export function codeBlock(text, name) {
  const block = node("pre"), code = block.appendChild(node("code"));
  const language = name.toLowerCase(), grammar = Prism.languages[names[language] ?? language];
  // Prism.languages has functions too.
  if (typeof grammar === "object" && text.length <= longest) colour(code, Prism.tokenize(text, grammar));
  else code.textContent = text;
  if (name) block.title = name;
  block.tabIndex = 0; // so that the keyboard can scroll it
  block.append(button(say("copy"), "", event => copy(text, event.currentTarget)));
  return block;
}

/// Prism's tokens as elements. Their types become names of classes and their texts stay texts.
function colour(parent, tokens) {
  for (const token of Array.isArray(tokens) ? tokens : [tokens]) {
    if (typeof token === "string") parent.append(token);
    else colour(parent.appendChild(node("span", undefined, "code-" + token.type)), token.content);
  }
}

export async function copy(text, button) {
  try { await navigator.clipboard.writeText(text); } catch { // not over plain HTTP from another machine
    const area = document.body.appendChild(node("textarea", text));
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.textContent = say("copied");
  setTimeout(() => { button.textContent = say("copy"); }, 1200);
}
