// The form: fields as the server knows them from the schema, drawn anew with every answer. What somebody is filling in stays as
// it is; what they did goes to the server as one act at one path, and comes back as the new text. Fields of which nothing is
// said wait behind a button each, so that a persona of twenty lines has a form of twenty lines.

import { morph } from "./editor_morph.js";
import { prose } from "./prose.js";

const PAUSE = 350;

const make = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
};

export class FormPane {
  /** `say` has what the page does: `act(path, act)`, `goTo(line, column)`, `fix(fix)`, and `names()`, which are offered. */
  constructor(place, say) {
    this.place = place;
    this.say = say;
    this.opened = new Set();
    this.closed = new Set();
    this.find = document.getElementById("form-find");
    this.all = document.getElementById("form-all");
    this.find.addEventListener("input", () => this.redraw());
    this.all.addEventListener("change", () => this.redraw());
    place.addEventListener("change", (event) => this.filled(event));
    place.addEventListener("input", (event) => this.typing(event));
    place.addEventListener("keydown", (event) => this.keyed(event));
    place.addEventListener("click", (event) => this.clicked(event));
    place.addEventListener("focusin", (event) => this.offer(event));
    place.addEventListener("toggle", (event) => {
      const path = event.target.dataset?.section;
      if (path === undefined) return;
      if (this.find.value) return;
      this.closed[event.target.open ? "delete" : "add"](path);
      if (event.target.open) this.opened.add(path);
    }, true);
  }

  draw(form, refused) {
    // A text that cannot be read at the moment leaves the form as it was.
    if (!form.fields.length) { this.place.classList.add("stale"); return; }
    this.place.classList.remove("stale");
    this.form = form;
    this.refused = refused;
    this.redraw();
  }

  redraw() {
    if (!this.form) return;
    const wanted = this.find.value.trim().toLowerCase();
    const plain = this.form.fields.filter((field) => !isSection(field));
    const sections = this.form.fields.filter(isSection).filter((field) => !wanted || matches(field, wanted));
    const drawn = make("div", {}, ...this.refused ? [make("p", { class: "notice bad" }, this.refused.message)] : [],
      make("div", { class: "form-section" }, ...this.members(plain, wanted, "")),
      ...sections.map((field) => this.section(field, wanted)));
    morph(this.place, drawn);
  }

  section(field, wanted) {
    const said = count(field, (one) => one.state !== "unsaid");
    const wrong = count(field, (one) => one.problems.length > 0);
    const open = wanted ? true : !this.closed.has(field.path) && (said > 0 || wrong > 0 || this.opened.has(field.path));
    return make("details", { class: "form-section", "data-section": field.path, "data-key": field.path, open },
      make("summary", { title: field.help }, make("b", {}, field.label), " ",
        wrong ? make("span", { class: "badge bad" }, `${wrong} to mend`) : make("span", { class: "soft" }, said ? `${said} set` : "nothing set")),
      ...this.group(field, wanted));
  }

  /** What is in a group: its own problems, its members, and how it may be written otherwise. */
  group(field, wanted) {
    const deep = wanted && matchesItself(field, wanted) ? "" : wanted;
    return [...problems(field), ...this.lengths(field), ...this.members(field.fields, deep, field.path)];
  }

  /** Fields that say something, and a button for each of the others. */
  members(fields, wanted, path) {
    const shown = (field) => wanted ? matches(field, wanted)
      : this.all.checked || field.state !== "unsaid" || field.required || field.problems.length > 0 || this.opened.has(field.path) || count(field, (one) => one.state !== "unsaid" || this.opened.has(one.path)) > 0;
    const rest = wanted ? [] : fields.filter((field) => !shown(field));
    const rows = fields.filter(shown).map((field) => this.field(field, wanted));
    if (rest.length) {
      rows.push(make("div", { class: "form-more", "data-key": `more:${path}` }, ...rest.map((field) =>
        make("button", { type: "button", class: "quiet", "data-open": field.path, title: field.help, "data-key": `open:${field.path}` }, `+ ${field.label}`))));
    }
    return rows;
  }

  field(field, wanted = "") {
    const { kind } = field;
    if (kind === "group") {
      return make("fieldset", { "data-key": field.path, class: "form-group" }, make("legend", { title: field.help }, field.label, " ", ...this.remove(field)), ...this.group(field, wanted));
    }
    if (kind === "groups" || kind === "map-of-groups") return this.items(field);
    if (kind === "map") return this.entries(field);
    return this.plain(field);
  }

  /** A field that is filled in. */
  plain(field) {
    const id = `field:${field.path}`;
    const inherits = field.inherited.length > 0 && field.state === "inherited" && field.kind !== "texts" && !this.opened.has(field.path);
    const hint = `${id}:hint`;
    const wrong = field.problems.some((problem) => problem.severity === "error");
    const control = inherits || field.state === "dropped" ? null : this.control(field, id, { "aria-describedby": field.help ? hint : null, "aria-invalid": wrong || null });
    return make("div", { class: `field form-field${wrong ? " wrong" : ""}`, "data-key": field.path },
      make("div", { class: "form-label" },
        control ? make("label", { for: id }, field.label) : make("span", { class: "label" }, field.label),
        field.required ? make("span", { class: "soft", title: "A persona must have it" }, "*") : null,
        field.line ? make("button", { type: "button", class: "quiet form-line", "data-line": field.line, "data-column": field.column, tabindex: -1, title: "Show it in the YAML (in the field: Ctrl+Enter)" }, `line ${field.line}`) : null),
      ...this.inherited(field, inherits), control ?? "",
      field.help ? make("p", { class: "hint", id: hint, title: field.help }, ...prose(field.help)) : null,
      ...problems(field), ...this.lengths(field));
  }

  inherited(field, whole) {
    const from = (one) => make("span", { class: "soft" }, ` from ${one.file}${one.line ? `:${one.line}` : ""}`);
    const button = (act, words, title) => make("button", { type: "button", class: "quiet", [act]: field.path, title, "data-key": `${act}:${field.path}` }, words);
    if (field.state === "dropped") {
      return [make("p", { class: "form-inherited" }, make("s", {}, field.inherited.map((one) => one.text).join(", ") || "what is inherited"), " taken away here ", button("data-clear", "Give it back"))];
    }
    if (!field.inherited.length) return [];
    if (field.kind === "texts") {
      return [make("ul", { class: "form-inherited" }, ...field.inherited.map((one) => make("li", {}, make("code", {}, one.text), from(one))))];
    }
    const [one] = field.inherited;
    if (whole) {
      return [make("p", { class: "form-inherited" }, make("code", {}, short(one.text)), from(one), " ",
        button("data-open", "Override here", "Say something else in this document"), button("data-drop", "Take away", "Have nothing of it here"))];
    }
    return field.state === "written" ? [make("p", { class: "form-inherited" }, "in place of ", make("code", {}, short(one.text)), from(one), " ", button("data-clear", "Use that again"))] : [];
  }

  control(field, id, more) {
    const [value = ""] = field.texts;
    const offered = field.inherited[0]?.text ?? field.default ?? "";
    const common = { id, "data-key": `control:${field.path}`, "data-path": field.path, "data-kind": field.kind, "data-offers": field.offers, ...more };
    const said = field.state === "written" ? value : this.opened.has(field.path) && field.state === "inherited" ? offered : value;
    if (field.kind === "choice" || field.kind === "bool") {
      const choices = field.kind === "bool" ? [{ value: "true", help: "yes" }, { value: "false", help: "no" }] : field.choices;
      const empty = make("option", { value: "", selected: said === "" || null }, offered ? `(${offered})` : "—");
      const foreign = said && !choices.some((choice) => choice.value === said) ? [make("option", { value: said, selected: true }, said)] : [];
      return make("select", common, empty, ...foreign, ...choices.map((choice) =>
        make("option", { value: choice.value, title: choice.help, selected: choice.value === said || null }, field.kind === "bool" ? choice.help : choice.value)));
    }
    if (field.kind === "texts" || field.kind === "long-text" || field.kind === "any") {
      const text = field.kind === "texts" ? field.texts.join("\n") : said;
      const rows = Math.min(Math.max(text.split("\n").length + (field.kind === "texts" ? 1 : 0), 2), 12);
      return make("textarea", { ...common, rows, class: "mono", spellcheck: "false", placeholder: field.kind === "texts" ? "one a line" : null }, text);
    }
    if (field.kind === "number") {
      const input = make("input", { ...common, type: "number", min: field.min, max: field.max, value: said, placeholder: offered || null });
      return field.unit ? make("span", { class: "form-unit" }, input, " ", field.unit) : input;
    }
    return make("input", { ...common, type: "text", value: said, placeholder: offered || (field.kind === "size" ? "8GiB" : null), list: field.offers ? `offer-${field.offers}` : null, autocomplete: "off", spellcheck: "false" });
  }

  /** A list of groups, or groups by name. */
  items(field) {
    const one = field.item ?? "entry";
    const byName = field.kind === "map-of-groups";
    const rows = field.fields.map((item, at) => make("fieldset", { class: "form-item", "data-key": item.path },
      make("legend", {}, byName ? item.name : title(item, one, at), " ",
        item.line ? make("button", { type: "button", class: "quiet form-line", "data-line": item.line, "data-column": item.column, tabindex: -1, title: "Show it in the YAML (in the field: Ctrl+Enter)" }, `line ${item.line}`) : null,
        ...byName ? [] : [mover(item, at, -1, one, field.fields.length), mover(item, at, 1, one, field.fields.length)],
        ...this.remove(item, `Remove ${byName ? item.name : `${one} ${at + 1}`}`)),
      ...(item.fields.length ? this.group(item, "") : [this.plain(item)])));
    return make("fieldset", { class: "form-group", "data-key": field.path },
      make("legend", { title: field.help }, field.label), field.help ? make("p", { class: "hint" }, ...prose(field.help)) : null,
      ...problems(field), ...this.inherited({ ...field, kind: "texts" }, false), ...rows, this.adder(field, byName ? "name" : `new ${one}`));
  }

  /** A text under each of one's own keys. */
  entries(field) {
    const rows = field.fields.map((entry) => make("div", { class: "form-entry", "data-key": entry.path },
      make("input", { type: "text", "data-rename": entry.path, value: entry.name, "aria-label": `Key ${entry.name}`, spellcheck: "false" }),
      this.control(entry, `field:${entry.path}`, { "aria-label": entry.name }), ...this.remove(entry, `Remove ${entry.name}`), ...problems(entry)));
    return make("fieldset", { class: "form-group", "data-key": field.path },
      make("legend", { title: field.help }, field.label), field.help ? make("p", { class: "hint" }, ...prose(field.help)) : null,
      ...problems(field), ...this.inherited({ ...field, kind: "texts" }, false), ...rows, this.adder(field, "key"));
  }

  adder(field, words) {
    const id = `add:${field.path}`;
    return make("div", { class: "form-add", "data-key": id },
      make("input", { type: "text", id, "data-add-name": field.path, placeholder: words, "aria-label": `${field.label}: ${words}`, autocomplete: "off", spellcheck: "false" }),
      make("button", { type: "button", "data-add": field.path }, "Add"));
  }

  remove(field, words = `Remove ${field.label}`) {
    if (field.state !== "written") return [];
    return [make("button", { type: "button", class: "quiet", "data-clear": field.path, title: words, "aria-label": words }, "✕")];
  }

  lengths(field) {
    if (!field.length || field.state !== "written") return [];
    const long = field.length === "short";
    const words = long ? "Say more of it" : "Write it short";
    return [make("button", { type: "button", class: "quiet form-length", [long ? "data-long" : "data-short"]: field.path, "data-key": `length:${field.path}` }, words)];
  }

  typing(event) {
    const { target } = event;
    if (!target.dataset.path || target.matches("select")) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.filled({ target }), PAUSE);
  }

  filled({ target }) {
    clearTimeout(this.waiting);
    const { path, rename } = target.dataset;
    if (rename !== undefined && target.value.trim()) this.say.act(rename, { act: "rename", to: target.value.trim() });
    if (path === undefined || target.dataset.sent === target.value) return;
    target.dataset.sent = target.value;
    const { kind } = target.dataset;
    const texts = kind === "texts" ? target.value.split("\n").map((line) => line.trim()).filter(Boolean) : target.value === "" ? [] : [target.value];
    this.opened.add(path);
    this.say.act(path, texts.length ? { act: "say", texts } : { act: "clear" });
  }

  /** The line of a field by keyboard; Enter takes over what was typed, and sends nothing. */
  keyed(event) {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) event.target.closest(".form-field, .form-entry")?.querySelector(".form-line")?.click();
    else if (!event.target.matches("input")) return;
    else if (event.target.dataset.addName !== undefined) event.target.nextElementSibling.click();
    else this.filled(event);
    event.preventDefault();
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { open, line, column, clear, drop, add, long, short, move, to, fix } = button.dataset;
    if (line) this.say.goTo(Number(line), Number(column));
    else if (open !== undefined) {
      this.opened.add(open);
      this.redraw();
      const control = this.place.querySelector(`[id="field:${CSS.escape(open)}"], [data-key="${CSS.escape(open)}"] :is(input, select, textarea)`);
      control?.focus();
      // What is inherited is there to be written over.
      control?.select?.();
    }
    else if (clear !== undefined) { this.opened.delete(clear); this.say.act(clear, { act: "clear" }); }
    else if (drop !== undefined) this.say.act(drop, { act: "drop" });
    else if (long !== undefined) this.say.act(long, { act: "long" });
    else if (short !== undefined) this.say.act(short, { act: "short" });
    else if (move !== undefined) this.say.act(move, { act: "move", to: Number(to) });
    else if (fix !== undefined) this.say.fix(JSON.parse(fix));
    else if (add !== undefined) {
      const name = this.place.querySelector(`[data-add-name="${CSS.escape(add)}"]`);
      this.say.act(add, { act: "add", name: name.value.trim() });
      name.value = "";
    }
  }

  /** The names that may be chosen, asked for when somebody comes to a field that wants one. */
  async offer(event) {
    const offers = event.target.dataset?.offers;
    if (!offers || document.getElementById(`offer-${offers}`)) return;
    this.names ??= this.say.names().catch(() => { this.names = null; return {}; });
    const names = (await this.names)[offers];
    if (!names || document.getElementById(`offer-${offers}`)) return;
    const list = make("datalist", { id: `offer-${offers}` });
    list.append(...names.map((name) => make("option", { value: name })));
    document.body.append(list);
  }
}

const isSection = (field) => field.kind === "group";
const short = (text) => text.length > 80 ? `${text.slice(0, 79)}…` : text;
const title = (item, one, at) => {
  const named = item.fields.find((field) => ["name", "path", "url", "mount", "host", "image", "id"].includes(field.name) && field.texts[0]);
  return named ? `${one} ${short(named.texts[0])}` : `${one} ${at + 1}`;
};
const matchesItself = (field, wanted) => `${field.path} ${field.label}`.toLowerCase().includes(wanted) || field.texts.some((text) => text.toLowerCase().includes(wanted));
const matches = (field, wanted) => matchesItself(field, wanted) || field.help.toLowerCase().includes(wanted) || field.fields.some((one) => matches(one, wanted));
const count = (field, what) => (field.fields.length ? 0 : Number(what(field))) + field.fields.reduce((sum, one) => sum + count(one, what), 0);

function problems(field) {
  return field.problems.map((problem) => make("p", { class: problem.severity === "error" ? "error" : "hint warn" }, ...prose(`${problem.message}${problem.help ? `: ${problem.help}` : ""}`), " ",
    problem.fix ? make("button", { type: "button", class: "editor-fix", "data-fix": JSON.stringify(problem.fix) }, "Fix it") : ""));
}

function mover(item, at, step, one, many) {
  const to = at + step;
  const words = step < 0 ? `Move ${one} ${at + 1} up` : `Move ${one} ${at + 1} down`;
  return make("button", { type: "button", class: "quiet", "data-move": item.path, "data-to": to, disabled: to < 0 || to >= many, "aria-label": words, title: words }, step < 0 ? "↑" : "↓");
}
