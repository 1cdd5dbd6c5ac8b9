// The rows: a browser of the studio's folder, and what training will see of a file.
import { $, ask, facts, node, press, say, tell } from "./kit.js";

let settings, choose, first = 0;
const shownRows = 3;

export function beginData(given, chosen) {
  settings = given;
  choose = chosen;
  const place = node("p", "", "bad");
  place.hidden = true;
  $("rows").before(place);
  press($("browse"), place, async () => {
    if ($("files").hidden) await browse("");
    $("files").hidden = !$("files").hidden;
  });
  press($("preview"), place, async () => { first = 0; await preview(); });
}

async function browse(folder) {
  const view = await ask("browse", { folder });
  const line = (name, note, action) => {
    const button = node("button");
    button.append(node("span", name), node("span", note ?? "", "soft"));
    button.onclick = () => Promise.resolve(action()).catch(error => tell($("trouble"), error.message));
    return button;
  };
  const inner = name => view.folder ? `${view.folder}/${name}` : name;
  $("files").replaceChildren(node("p", view.path, "path soft"),
    ...(view.folder ? [line("..", "", () => browse(view.folder.split("/").slice(0, -1).join("/")))] : []),
    ...view.entries.map(entry => entry.is_folder
      ? line(`${entry.name}/`, "", () => browse(inner(entry.name)))
      : line(entry.name, entry.size, () => { choose(entry.path); $("files").hidden = true; })));
}

async function preview() {
  $("previewNote").textContent = say("reading");
  let found;
  try {
    found = await ask("preview", { config: settings(), first, count: shownRows });
  } finally { $("previewNote").textContent = say("previewHint"); }
  const held = found.held_out.map(line => `${say("heldOut")}: ${line}`);
  const step = (name, to, isThere) => {
    const button = node("button", say(name));
    button.disabled = !isThere;
    button.onclick = () => { first = to; return preview().catch(error => tell($("trouble"), error.message)); };
    return button;
  };
  const pages = node("div", "", "row"), last = Math.min(found.first + shownRows, found.total);
  pages.append(step("previous", found.first - shownRows, found.first > 0), step("next", last, last < found.total),
    node("span", say("rowsShown", found.first + 1, last, found.total), "soft"));
  $("rows").replaceChildren(
    facts([[say("rowsKept"), `${found.kept} / ${found.read}`], [say("tokens"), found.tokens.toLocaleString()], [say("targets"), found.targets.toLocaleString()], [say("template"), found.template]]),
    ...[...found.summary, ...held, ...found.notices].map(line => node("p", line, "soft")), pages, ...found.rows.map(sample));
}

function sample(row) {
  const box = node("div", "", "sample"), text = node("pre");
  for (const piece of row.pieces) text.append(node(piece.target ? "mark" : "span", piece.text));
  if (row.is_cut) text.append(node("span", " …", "soft"));
  const part = row.part ? ` · ${say(row.part)}` : "";
  box.append(node("small", `${row.place}${part} · ${say("rowCounts", row.tokens, row.targets)}`, "soft path"), text);
  return box;
}
