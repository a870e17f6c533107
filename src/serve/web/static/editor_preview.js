// What comes of a draft: the devices that it would change, and what they would read, beside what they read now.

import { colour, kindOf, lex, paint } from "./colour.js";
import { prose } from "./prose.js";

const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

export class PreviewPane {
  /** `changed` is called when somebody wants it rendered for another device. */
  constructor(pane, changed) {
    this.pane = pane;
    this.changed = changed;
    this.file = null;
    this.picked = false;
    this.whole = false;
    this.answer = null;
    this.persona = null;
    this.device = pane.querySelector("#preview-device");
    this.device.addEventListener("change", () => changed());
  }

  /** For which device and persona it is rendered. */
  get wanted() { return { device: this.device.value, persona: this.persona }; }

  draw(answer) {
    if (!answer.good || !answer.files.length) {
      const why = answer.good ? "Nothing is rendered: this changes no persona." : "This is of the last text without mistakes.";
      this.pane.querySelector("#preview-as").textContent = this.answer ? why : "";
      if (!this.answer) this.pane.querySelector("#preview").replaceChildren(element("p", "soft", answer.good ? why : "Once the text is good, this shows what devices would read."));
      this.affected(answer);
      return;
    }
    this.answer = answer;
    this.pane.querySelector("#preview-as").textContent = answer.notes.join(" ");
    // Until somebody chooses one: what changes, and else what says most.
    const { files } = answer;
    if (!this.picked || !files.some((file) => file.name === this.file)) {
      this.file = (files.slice(1).find((file) => file.diff) ?? files.find((file) => file.diff) ?? files.find((file) => file.name === "user-data") ?? files[1] ?? files[0]).name;
    }
    this.affected(answer);
    this.files();
    this.show();
  }

  /** Of a fragment: the personas that it changes, of which one is shown. */
  affected(answer) {
    const bar = this.pane.querySelector("#preview-files");
    bar.querySelector("select")?.remove();
    if (answer.affected.length < 2) return;
    const select = element("select");
    select.setAttribute("aria-label", "The persona to render");
    for (const one of answer.affected) {
      const option = element("option", "", one.persona);
      option.selected = one.persona === answer.rendered;
      select.append(option);
    }
    select.addEventListener("change", () => { this.persona = select.value; this.changed(); });
    bar.prepend(select);
  }

  files() {
    const bar = this.pane.querySelector("#preview-files");
    const select = bar.querySelector("select");
    const buttons = this.answer.files.map((file) => {
      const button = element("button", "editor-file");
      button.type = "button";
      button.setAttribute("aria-pressed", String(file.name === this.file));
      button.append(file.name);
      const [more, less] = file.count;
      if (file.text === null) button.append(" ", element("span", "bad", "gone"));
      else if (more) button.append(" ", element("span", "good", `+${more}`));
      if (less && file.text !== null) button.append(" ", element("span", "bad", `−${less}`));
      button.addEventListener("click", () => { this.file = file.name; this.picked = true; this.files(); this.show(); });
      return button;
    });
    bar.replaceChildren(...(select ? [select] : []), ...buttons);
  }

  show() {
    const file = this.answer.files.find((one) => one.name === this.file);
    const kind = kindOf(file.name);
    const head = element("div", "editor-choice");
    if (file.diff && file.text !== null) {
      for (const [whole, words] of [[false, "What changes"], [true, "The whole file"]]) {
        const button = element("button", "quiet", words);
        button.type = "button";
        button.setAttribute("aria-pressed", String(whole === this.whole));
        button.addEventListener("click", () => { this.whole = whole; this.show(); });
        head.append(button);
      }
    } else {
      head.append(element("span", "soft", file.text === null ? "Devices would not read this file any more." : "The same as what is served now."));
      if (file.text !== null && !this.served()) head.lastChild.textContent = "Nothing is served of this persona yet.";
    }
    const body = element("pre", "code");
    body.tabIndex = 0;
    body.setAttribute("aria-label", file.name);
    if (file.diff && (!this.whole || file.text === null)) {
      body.classList.add("diff");
      body.append(...file.diff.map(({ class: how, text }) => {
        const row = element("span", how);
        if (how === "gap") row.textContent = text;
        else paint(row, [["editor-sign", text.slice(0, 2)], ...lex(kind, text.slice(2), "").pieces]);
        return row;
      }));
    } else {
      colour(body, kind, file.text.replace(/\n$/, ""));
    }
    this.pane.querySelector("#preview").replaceChildren(head, body);
  }

  served() { return this.answer.affected.every((one) => one.persona !== this.answer.rendered || one.before); }

  /** The devices that would change. */
  impact(told) {
    const place = this.pane.querySelector("#impact");
    const rows = [element("h3", "", "Devices"), element("p", told.good ? "" : "soft", told.summary)];
    for (const turn of told.turns) {
      const group = element("details", `editor-turn${turn.grave ? " grave" : ""}`);
      const head = element("summary");
      head.append(element("b", turn.grave ? "bad" : "", String(turn.count)), ` ${turn.words}`);
      group.append(head);
      group.open = turn.grave || (told.turns.length === 1 && turn.count < 6);
      const list = element("ul");
      for (const device of turn.devices) {
        const item = element("li");
        const name = element("a", "mono", device.device);
        name.href = `/devices/${device.device}`;
        const look = element("button", "quiet", "preview");
        look.type = "button";
        look.title = `Show what ${device.device} would read`;
        look.addEventListener("click", () => { this.device.value = device.device; this.changed(); });
        const then = element("span", "soft wrap");
        then.append(...prose(device.then));
        item.append(name, " ", look, then);
        if (device.now !== device.then) item.lastChild.title = `now ${device.now}`;
        list.append(item);
      }
      group.append(list);
      if (turn.count > turn.devices.length) {
        const more = element("a", "", `and ${turn.count - turn.devices.length} more`);
        more.href = told.link;
        group.append(more);
      }
      rows.push(group);
    }
    place.replaceChildren(...rows);
    const names = told.turns.flatMap((turn) => turn.devices.map((device) => device.device)).slice(0, 40);
    this.pane.querySelector("#preview-devices").replaceChildren(...names.map((name) => {
      const option = element("option");
      option.value = name;
      return option;
    }));
  }
}
