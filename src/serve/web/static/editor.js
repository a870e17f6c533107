// The editor of a persona or fragment: the YAML, its form, and what comes of it, each kept as the others are. The text is the
// truth: what is done in the form is sent with it, and comes back as the new text. All that is known of a text (problems, form,
// renderings) is the server's; an answer to a text that is not shown any more is dropped.

import { Completion } from "./editor_complete.js";
import { FormPane } from "./editor_form.js";
import { PreviewPane } from "./editor_preview.js";
import { TextPane } from "./editor_text.js";

const PAUSE = 150;
const IMPACT_PAUSE = 400;
const editor = document.getElementById("editor");
const { home, key } = editor.dataset;
const area = document.getElementById("text");
const state = document.getElementById("editor-state");
const message = document.getElementById("editor-message");
const base = editor.elements.base.value;
const store = `greenroom-draft:${key}`;
const saved = editor.dataset.unsaved === "true" ? null : area.value;

let latest = 0;
let waiting = null;
let asking = null;
let known = null; // The last answer, and the text that it is of.
let impactOf = null;
let impactWaits = null;
let leaving = false;
let acts = Promise.resolve();

/** Asks something of the draft. */
async function ask(what, body, signal) {
  const answer = await fetch(`${home}/${what}.json`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal,
  });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) throw new Error("You are signed out: sign in again in another tab. Your text is kept here.");
  if (!answer.ok) throw new Error(said.why ?? `The server says ${answer.status}.`);
  return said;
}

const text = new TextPane(area, document.getElementById("text-under"), changed);
const form = new FormPane(document.getElementById("form"), {
  act: (path, act) => act_(path, act),
  goTo: (line, column) => { show("text"); text.goTo(line, column); },
  fix: (fix) => mend(fix),
  names: () => fetch(`${home}/names.json`).then((answer) => answer.json()),
});
const preview = new PreviewPane(document.getElementById("pane-preview"), () => later(0));
new Completion(area, text, document.getElementById("completions"), (at, signal) => ask("complete", { text: text.text, at }, signal));

function changed() {
  keep();
  tell();
  later(PAUSE);
}

function later(pause) {
  clearTimeout(waiting);
  waiting = setTimeout(() => check(), pause);
}

/** Has the text checked; `extra` is what was done in the form, or the fix that was taken. */
async function check(extra) {
  clearTimeout(waiting);
  const sent = text.text;
  const number = ++latest;
  if (!extra) { asking?.abort(); asking = new AbortController(); }
  tell("checking…");
  let answer;
  try {
    answer = await ask("draft", { text: sent, wanted: preview.wanted, ...extra }, extra ? undefined : asking.signal);
  } catch (error) {
    if (error.name === "AbortError") return null;
    if (number === latest) tell(error.message, "bad");
    return null;
  }
  if (answer.text !== undefined) {
    if (text.text !== sent) { later(0); return null; }
    text.text = answer.text;
    keep();
  } else if (number !== latest) {
    return null;
  }
  if (text.text !== (answer.text ?? sent)) return null;
  known = { text: text.text, answer };
  form.draw(answer.form, answer.refused);
  text.mark(answer.problems.filter((problem) => !problem.elsewhere));
  list(answer.problems, answer.refused);
  preview.draw(answer);
  tell();
  impact();
  return answer;
}

function act_(path, act) {
  acts = acts.then(() => check({ act: { path, ...act } }));
  return acts;
}

function mend(fix) {
  acts = acts.then(() => check({ fix }));
  return acts;
}

/** Which devices would change: asked once the text has been good for a moment. */
function impact() {
  clearTimeout(impactWaits);
  if (!known.answer.good) { impactOf = null; preview.impact({ good: false, summary: "Once the text is good, this says which devices it would change.", turns: [] }); return; }
  impactWaits = setTimeout(async () => {
    const of = text.text;
    if (impactOf === of) return;
    try {
      const told = await ask("impact", { text: of });
      if (text.text === of) { impactOf = of; preview.impact(told); }
    } catch (error) {
      preview.impact({ good: false, summary: error.message, turns: [] });
    }
  }, IMPACT_PAUSE);
}

/** The list of problems under the text. */
function list(problems, refused) {
  const place = document.getElementById("problems");
  const rows = problems.map((problem) => row(problem));
  if (refused) rows.unshift(row({ ...refused, severity: "error" }));
  if (!rows.length) {
    const fine = document.createElement("p");
    fine.className = "good editor-fine";
    fine.textContent = "No problems.";
    rows.push(fine);
  }
  place.replaceChildren(...rows);
}

function row(problem) {
  const row = document.createElement("div");
  row.className = `editor-problem ${problem.severity === "error" ? "bad" : "warn"}`;
  const here = !problem.elsewhere && problem.line > 0;
  const where = document.createElement(here ? "button" : "b");
  where.textContent = problem.elsewhere ? `${problem.elsewhere}${problem.line ? `, line ${problem.line}` : ""}`
    : here ? `line ${problem.line}, column ${problem.column}` : "the whole text";
  if (here) {
    where.type = "button";
    where.className = "quiet";
    where.addEventListener("click", () => { show("text"); text.goTo(problem.line, problem.column, problem.width); });
  }
  const said = document.createElement("span");
  said.textContent = problem.message;
  const help = document.createElement("span");
  help.className = "soft";
  help.textContent = problem.help ?? "";
  const code = document.createElement("code");
  code.className = "soft";
  code.textContent = problem.code;
  row.append(where, " ", said, " ", help, " ", code);
  if (problem.fix) {
    const fix = document.createElement("button");
    fix.type = "button";
    fix.className = "editor-fix";
    fix.textContent = problem.fix_label;
    fix.addEventListener("click", () => mend(problem.fix));
    row.append(" ", fix);
  }
  return row;
}

/** How things stand, in a word. */
function tell(words, kind) {
  const problems = known?.text === text.text ? known.answer.problems : [];
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const dirty = text.text !== saved;
  state.textContent = words ?? (errors ? `${errors} to mend` : dirty ? "good, not saved" : "as saved");
  state.className = `badge ${kind ?? (words ? "" : errors ? "bad" : dirty ? "info" : "good")}`;
}

// What was written is kept by the browser until it is saved: a tab that is lost, or a session that ends, loses nothing.

function keep(sent = false) {
  try {
    if (text.text === saved && !sent) sessionStorage.removeItem(store);
    else sessionStorage.setItem(store, JSON.stringify({ text: text.text, base, message: message.value, at: Date.now(), sent }));
  } catch { /* No room, or not allowed: the warning before one leaves remains. */ }
}

function kept() {
  try { return JSON.parse(sessionStorage.getItem(store)); } catch { return null; }
}

function offer() {
  const before = kept();
  if (!before || editor.dataset.unsaved === "true") return;
  if (before.text === area.value || (before.sent && before.base !== base)) { sessionStorage.removeItem(store); return; }
  const bar = document.getElementById("editor-restore");
  const other = before.base === base ? "" : " The file was changed since.";
  bar.querySelector("span").textContent = `You wrote something here on ${new Date(before.at).toLocaleString()} and did not save it.${other}`;
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    const choice = event.target.dataset.restore;
    if (!choice) return;
    bar.hidden = true;
    if (choice === "drop") { sessionStorage.removeItem(store); return; }
    text.text = before.text;
    message.value = before.message ?? "";
    // It was written on that file: a save tells what has become of it since.
    editor.elements.base.value = before.base;
    changed();
  });
}

addEventListener("beforeunload", (event) => {
  if (!leaving && text.text !== saved) event.preventDefault();
});
addEventListener("pageshow", () => { leaving = false; });
message.addEventListener("change", () => keep());

editor.addEventListener("submit", async (event) => {
  if (leaving) return;
  event.preventDefault();
  await acts;
  const answer = known?.text === text.text ? known.answer : await check();
  if (answer && !answer.good) {
    const first = answer.problems.find((problem) => problem.severity === "error");
    tell("not saved: mend this first", "bad");
    if (first && !first.elsewhere && first.line) { show("text"); text.goTo(first.line, first.column, first.width); }
    return;
  }
  leaving = true;
  keep(true);
  editor.submit();
});

// Parts: tabs where only one fits, F6 everywhere.

const panes = document.querySelector(".editor-panes");
const tabs = [...document.querySelectorAll(".editor-tabs [role=tab]")];

function show(which) {
  panes.dataset.shown = which;
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${which}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
}

for (const tab of tabs) {
  tab.addEventListener("click", () => show(tab.id.slice(4)));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    show(next.id.slice(4));
    next.focus();
  });
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s" && !event.altKey) {
    event.preventDefault();
    editor.requestSubmit(document.getElementById("editor-save"));
  }
  if (event.key === "F6") {
    event.preventDefault();
    const order = ["form", "text", "preview"];
    const now = order.findIndex((name) => document.getElementById(`pane-${name}`).contains(document.activeElement));
    const next = order[(now + (event.shiftKey ? -1 : 1) + order.length) % order.length];
    show(next);
    const pane = document.getElementById(`pane-${next}`);
    (next === "text" ? area : pane.querySelector("#form input, #form select, #form textarea, #form button, .editor-scroll button, input"))?.focus();
  }
});

// A field of the form is no reason to send the whole: Enter in it takes over what was typed.
document.getElementById("pane-form").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input")) { event.preventDefault(); event.target.dispatchEvent(new Event("change", { bubbles: true })); }
});
document.getElementById("preview-device").addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); event.target.dispatchEvent(new Event("change", { bubbles: true })); }
});

editor.classList.add("live");
for (const id of ["pane-form", "pane-preview"]) document.getElementById(id).hidden = false;
document.querySelector(".editor-tabs").hidden = false;
show("text");
offer();
check();
