// Completion: what may stand where one writes, as the server knows it from the schema and the library. It opens with
// Ctrl+Space, and by itself while a word is typed; arrows choose, Enter or Tab takes, Escape closes.

const PAUSE = 90;

export class Completion {
  /** `ask` says what may stand at a place of the text, in UTF-16 units. */
  constructor(area, pane, list, ask) {
    Object.assign(this, { area, pane, list, ask, items: [], chosen: 0, wanted: null });
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-haspopup", "listbox");
    area.setAttribute("aria-controls", list.id);
    // Before the text's own keys: what chooses here moves nothing there.
    area.addEventListener("keydown", (event) => this.key(event), { capture: true });
    area.addEventListener("input", (event) => this.typed(event));
    area.addEventListener("blur", () => this.close());
    area.addEventListener("click", () => this.close());
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.take(Number(option.dataset.at));
    });
  }

  get open() { return !this.list.hidden; }

  key(event) {
    if (event.key === " " && event.ctrlKey) { event.preventDefault(); event.stopImmediatePropagation(); this.look(true); return; }
    if (!this.open) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) this.choose((this.chosen + step + this.items.length) % this.items.length);
    else if (event.key === "Enter" || event.key === "Tab") this.take(this.chosen);
    else if (event.key === "Escape") this.close();
    else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) { this.close(); return; }
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  typed(event) {
    clearTimeout(this.waiting);
    const typing = event.inputType === "insertText" && this.area === document.activeElement && !this.pane.quiet;
    const before = this.area.value.slice(0, this.area.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    if (typing && /[\w/.-]$/.test(before) && !/(?:^|\s)#/.test(line)) this.waiting = setTimeout(() => this.look(false), PAUSE);
    else this.close();
  }

  /** Asks what may stand here; an answer that comes when one is elsewhere is dropped. */
  async look(wanted) {
    const at = this.area.selectionStart;
    const text = this.area.value;
    this.wanted?.abort();
    const asked = this.wanted = new AbortController();
    let found;
    try { found = await this.ask(at, asked.signal); } catch { return; }
    if (asked.signal.aborted || this.area.value !== text || this.area.selectionStart !== at || document.activeElement !== this.area) return;
    const word = text.slice(found.word.start, at);
    const done = found.items.length === 1 && found.items[0].label === word;
    const fits = wanted ? found.items : found.items.filter((item) => item.label.includes(word) || item.insert.includes(word));
    if (!fits.length || (done && !wanted)) { this.close(); return; }
    this.items = fits.slice(0, 60);
    this.word = found.word;
    this.draw();
  }

  draw() {
    this.list.replaceChildren(...this.items.map((item, at) => {
      const option = document.createElement("li");
      option.id = `completion-${at}`;
      option.dataset.at = at;
      option.setAttribute("role", "option");
      const name = document.createElement("b");
      name.textContent = item.label;
      const help = document.createElement("span");
      help.textContent = item.help;
      option.append(name, help);
      return option;
    }));
    this.list.hidden = false;
    this.place();
    this.choose(0);
  }

  /** Under the word, in the box that scrolls with the text. */
  place() {
    const box = this.list.parentElement;
    const before = this.area.value.slice(0, this.word.start).split("\n");
    const row = this.pane.under.children[before.length - 1];
    const range = document.createRange();
    let left = before[before.length - 1].length;
    range.selectNodeContents(row);
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (left <= node.length) { range.setStart(node, left); range.collapse(true); break; }
      left -= node.length;
    }
    const rect = range.getClientRects()[0] ?? row.getBoundingClientRect();
    const within = box.getBoundingClientRect();
    const top = rect.bottom - within.top + box.scrollTop;
    this.list.style.top = `${top + 2}px`;
    this.list.style.left = `${Math.max(0, Math.min(rect.left - within.left, within.width - this.list.offsetWidth - 16))}px`;
    const over = rect.bottom + this.list.offsetHeight > within.bottom && rect.top - this.list.offsetHeight > within.top;
    if (over) this.list.style.top = `${rect.top - within.top + box.scrollTop - this.list.offsetHeight - 2}px`;
  }

  choose(at) {
    this.chosen = at;
    for (const [place, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(place === at));
    this.list.children[at].scrollIntoView({ block: "nearest" });
    this.area.setAttribute("aria-activedescendant", `completion-${at}`);
  }

  take(at) {
    const item = this.items[at];
    const { start } = this.word;
    const end = Math.max(this.word.end, this.area.selectionStart);
    this.close();
    this.pane.replace(start, end, item.insert, start + item.insert.length);
    // A key leads on to its values.
    if (/[:\s-]\s?$/.test(item.insert) && !item.insert.includes("\n")) this.look(false);
  }

  close() {
    clearTimeout(this.waiting);
    this.wanted?.abort();
    if (!this.open) return;
    this.list.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
  }
}
