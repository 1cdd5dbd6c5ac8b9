// The page: its tabs, its language, and what of it is looked at.
import { $, ask, kept, language, say, tell, translate } from "./kit.js";
import * as setup from "./setup.js";
import * as runs from "./runs.js";
import * as use from "./use.js";

const parts = { new: setup, runs, chat: use, write: use };

export function show(tab) {
  for (const name of Object.keys(parts)) {
    $(name).hidden = name !== tab;
    document.querySelector(`[data-tab=${name}]`).setAttribute("aria-selected", name === tab);
  }
  kept.set("tab", tab);
  parts[tab].shown?.(tab);
}

translate();
$("language").value = language;
$("language").onchange = () => { kept.set("language", $("language").value); location.reload(); };
for (const button of document.querySelectorAll("[data-tab]")) button.onclick = () => show(button.dataset.tab);
for (const button of document.querySelectorAll("[data-copy]")) button.onclick = async () => {
  await navigator.clipboard.writeText($(button.dataset.copy).textContent);
  button.textContent = say("copied");
  setTimeout(() => { button.textContent = say("copy"); }, 1500);
};

try {
  const choices = await ask("start-choices");
  $("root").textContent = choices.folder;
  $("root").title = choices.folder;
  await setup.begin(choices, id => { show("runs"); return runs.open(id); });
  runs.begin({ chat: (model, trained) => { show("chat"); use.choose(model, trained); },
               write: (model, trained, isAdapter) => { show("write"); use.chooseForWriting(model, trained, isAdapter); } });
  use.begin(choices);
  show(kept.get("tab") in parts ? kept.get("tab") : "new");
} catch (error) {
  tell($("trouble"), error.message);
}
