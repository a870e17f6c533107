// The YAML: a textarea that people write in, over the same text in colours. The two are laid out alike, so what is seen is the
// coloured one, and what is edited, selected, spoken and undone is the browser's own. Only lines that changed are coloured again.

import { lex, paint } from "./colour.js";

const INDENT = "  ";
const PAIRS = { "[": "]", "{": "}", '"': '"', "'": "'" };

export class TextPane {
  /** `changed` is called after every change by hand. */
  constructor(area, under, changed) {
    this.area = area;
    this.under = under;
    this.changed = changed;
    this.lines = [];
    this.states = [];
    this.marks = new Map();
    // With the Escape key people leave: the next Tab moves on, as everywhere else.
    this.leaving = false;
    area.addEventListener("input", () => { this.draw(); this.changed(); });
    area.addEventListener("keydown", (event) => this.key(event));
    area.addEventListener("blur", () => { this.leaving = false; });
    this.draw();
  }

  get text() { return this.area.value; }

  /** Takes another text, as one step that can be undone, touching only what differs. The caret stays where it was. */
  set text(next) {
    const now = this.area.value;
    if (next === now) return;
    let start = 0;
    while (start < now.length && start < next.length && now[start] === next[start]) start++;
    let end = 0;
    while (end < now.length - start && end < next.length - start && now[now.length - 1 - end] === next[next.length - 1 - end]) end++;
    const { selectionStart, selectionEnd } = this.area;
    const move = (at) => at <= start ? at : at >= now.length - end ? at + next.length - now.length : Math.min(at, next.length - end);
    const focused = document.activeElement;
    this.quiet = true;
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(start, now.length - end);
    insert(this.area, next.slice(start, next.length - end));
    this.area.setSelectionRange(move(selectionStart), move(selectionEnd));
    if (focused && focused !== this.area) focused.focus({ preventScroll: true });
    this.quiet = false;
  }

  /** Colours the lines that are not as they were. */
  draw() {
    const lines = this.area.value.split("\n");
    const old = this.lines;
    let top = 0;
    while (top < lines.length && top < old.length && lines[top] === old[top]) top++;
    let bottom = 0;
    while (bottom < lines.length - top && bottom < old.length - top && lines[lines.length - 1 - bottom] === old[old.length - 1 - bottom]) bottom++;
    const fresh = document.createDocumentFragment();
    for (let at = top; at < lines.length - bottom; at++) fresh.append(document.createElement("div"));
    const rows = this.under.children;
    const range = document.createRange();
    range.setStart(this.under, top);
    range.setEnd(this.under, old.length - bottom);
    range.deleteContents();
    this.under.insertBefore(fresh, rows[top] ?? null);
    this.states = [...this.states.slice(0, top), ...Array(lines.length - top - bottom), ...this.states.slice(old.length - bottom)];
    this.lines = lines;
    let state = top ? this.states[top - 1] : "";
    for (let at = top; at < lines.length; at++) {
      const { pieces, state: after } = lex("yaml", lines[at], state);
      const settled = at >= lines.length - bottom && this.states[at] === after;
      this.states[at] = after;
      state = after;
      this.row(at, pieces);
      // Below what changed, everything is as it was once a line leaves the state that it left before.
      if (settled) break;
    }
  }

  row(at, pieces) {
    const row = this.under.children[at];
    const marks = this.marks.get(at + 1);
    row.className = marks ? (marks.some((mark) => mark.severity === "error") ? "bad" : "warn") : "";
    paint(row, marks ? marked(pieces, marks) : pieces);
  }

  /** Marks problems at their places. */
  mark(problems) {
    const before = [...this.marks.keys()];
    this.marks = new Map();
    for (const problem of problems) {
      if (!problem.line) continue;
      this.marks.set(problem.line, [...(this.marks.get(problem.line) ?? []), problem]);
    }
    for (const line of new Set([...before, ...this.marks.keys()])) {
      if (line > this.lines.length) continue;
      this.row(line - 1, lex("yaml", this.lines[line - 1], line > 1 ? this.states[line - 2] : "").pieces);
    }
  }

  /** Puts the caret at a place, in view. Columns are characters, from 1. */
  goTo(line, column = 1, width = 0) {
    const at = Math.min(Math.max(line, 1), this.lines.length) - 1;
    const before = this.lines.slice(0, at).reduce((sum, text) => sum + text.length + 1, 0);
    const place = (count) => [...this.lines[at]].slice(0, Math.max(count, 0)).join("").length;
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(before + place(column - 1), before + place(column - 1 + width));
    this.under.children[at].scrollIntoView({ block: "center" });
  }

  /** The line that the caret is in, from 1. */
  get line() { return this.area.value.slice(0, this.area.selectionStart).split("\n").length; }

  key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (key === "Escape") { this.leaving = true; return; }
    const command = ctrlKey || metaKey;
    const done = key === "Tab" && !command && !altKey ? !this.leaving && this.tab(shiftKey)
      : key === "Enter" && !command && !altKey ? this.enter()
      : key === "/" && command ? this.comment()
      : key === "Backspace" && !command ? this.unpair()
      : !command && !altKey && key.length === 1 ? this.pair(key)
      : false;
    if (key !== "Tab" && key !== "Shift") this.leaving = false;
    if (done) event.preventDefault();
  }

  /** The selection, and the lines that it touches. */
  selection() {
    const { value, selectionStart: start, selectionEnd: end } = this.area;
    const from = value.lastIndexOf("\n", start - 1) + 1;
    const stop = value.indexOf("\n", Math.max(end - (end > start ? 1 : 0), start));
    return { value, start, end, from, to: stop < 0 ? value.length : stop };
  }

  /** Puts a text in the place of a part, and selects within it. */
  replace(from, to, text, start, end = start) {
    this.area.setSelectionRange(from, to);
    insert(this.area, text);
    this.area.setSelectionRange(start, end);
    return true;
  }

  tab(back) {
    const { value, start, end, from, to } = this.selection();
    if (!back && start === end) {
      const column = start - from;
      insert(this.area, INDENT.slice(column % INDENT.length) || INDENT);
      return true;
    }
    const lines = value.slice(from, to).split("\n");
    const moved = lines.map((line) => back ? line.replace(/^ {1,2}/, "") : line && INDENT + line);
    const first = moved[0].length - lines[0].length;
    const all = moved.join("\n").length - (to - from);
    return this.replace(from, to, moved.join("\n"), Math.max(from, start + first), Math.max(from, end + all));
  }

  /** The next line begins as this one, and deeper when something is opened here. */
  enter() {
    const { value, start, end, from } = this.selection();
    const before = value.slice(from, start);
    const indent = before.match(/^ */)[0];
    const item = before.match(/^( *)- +\S/) && !before.trimEnd().endsWith(":");
    const opens = /(?:[:[{]|[|>][-+]?)\s*$/.test(before) && !/^\s*#/.test(before);
    if (/^\s*-\s*$/.test(before) && start === end) return this.replace(from, start, indent, from + indent.length);
    const deeper = opens ? INDENT + (/^ *- /.test(before) ? INDENT : "") : "";
    const closes = /[[{]\s*$/.test(before) && /^[\]}]/.test(value.slice(end));
    const text = `\n${indent}${deeper}${item && !opens && /^ *- [^:]*$/.test(before) ? "- " : ""}`;
    insert(this.area, closes ? `${text}\n${indent}` : text);
    if (closes) this.area.setSelectionRange(start + text.length, start + text.length);
    return true;
  }

  comment() {
    const { value, start, end, from, to } = this.selection();
    const lines = value.slice(from, to).split("\n");
    const off = lines.every((line) => /^\s*(#|$)/.test(line));
    const turned = lines.map((line) => off ? line.replace(/^(\s*)# ?/, "$1") : line.replace(/^(\s*)(?=\S)/, "$1# "));
    const text = turned.join("\n");
    return this.replace(from, to, text, Math.max(from, start + turned[0].length - lines[0].length), end + text.length - (to - from));
  }

  pair(key) {
    const { value, start, end } = this.selection();
    const next = value[end] ?? "";
    if (start === end && next === key && Object.values(PAIRS).includes(key)) {
      this.area.setSelectionRange(start + 1, start + 1);
      return true;
    }
    const close = PAIRS[key];
    if (!close) return false;
    const inside = value.slice(start, end);
    if (!inside && (!/^[\s\]},]?$/.test(next) || (close === key && /[\w"']/.test(value[start - 1] ?? "")))) return false;
    return this.replace(start, end, key + inside + close, start + 1, end + 1);
  }

  unpair() {
    const { value, start, end } = this.selection();
    const close = PAIRS[value[start - 1]];
    if (start !== end || !close || value[start] !== close) return false;
    return this.replace(start - 1, start + 1, "", start - 1);
  }
}

/** As if typed: the browser's undo knows of it. */
function insert(area, text) {
  const done = text === "" ? document.execCommand("delete") : document.execCommand("insertText", false, text);
  if (!done) {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** The same pieces, with what problems mean in marks. Columns count characters. */
function marked(pieces, marks) {
  const chars = pieces.flatMap(([name, text]) => [...text].map((char) => [name, char]));
  for (const { severity, column, width } of marks) {
    for (let at = column - 1; at < column - 1 + Math.max(width, 1) && at < chars.length; at++) {
      if (at >= 0) chars[at] = [`${chars[at][0]} ${severity === "error" ? "wrong" : "doubtful"}`.trim(), chars[at][1]];
    }
  }
  const joined = [];
  for (const [name, char] of chars) {
    const last = joined[joined.length - 1];
    if (last && last[0] === name) last[1] += char; else joined.push([name, char]);
  }
  return joined;
}
