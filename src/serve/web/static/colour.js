// Colours for text that machines read: YAML, JSON, shell, XML, Kickstart, preseed, iPXE, PowerShell. A line at a time, with
// the state that the line before left (a block of text, an open comment): who edits has only the lines coloured again that
// changed. Everything becomes text nodes: what a text says is never read as HTML.

const sticky = (source) => new RegExp(source, "y");
const STRING = [sticky(String.raw`"(?:[^"\\]|\\.)*"?`), "s"];
const QUOTED = [sticky(String.raw`'(?:[^']|'')*'?`), "s"];
const NUMBER = [sticky(String.raw`[-+]?\b\d[\d._]*(?:[KMGT]i?B?)?\b(?![-.\w/:])`), "n"];
const VARIABLE = [sticky(String.raw`\$\{[^}]*\}?|\$[A-Za-z_][\w:]*|\$[#?@*$!0-9]`), "n"];
const HASH = [sticky(String.raw`#.*`), "c"];
const WORD = [sticky(String.raw`[\w./@%+-]+`), ""];
const words = (list) => [sticky(String.raw`\b(?:${list})\b(?![-\w])`), "k"];

// What is tried at each place, in order. A fourth part tells where alone: "line" is the first word of a line, "blank" after one.
const RULES = {
  yaml: [
    [sticky(String.raw`#.*`), "c", "blank"],
    [sticky(String.raw`(?:---|\.\.\.)$`), "c", "line"],
    [sticky(String.raw`"(?:[^"\\]|\\.)*"(?=\s*:(?:\s|$))|'(?:[^']|'')*'(?=\s*:(?:\s|$))`), "k"],
    [sticky(String.raw`[^\s#:,\[\]{}&*!|>'"%@\x60-][^:#,\[\]{}]*?(?=\s*:(?:\s|$))`), "k"],
    // A quote within a word is a part of it.
    [...STRING, "blank"], [...QUOTED, "blank"],
    [sticky(String.raw`(?:![\w!.-]*|[&*][\w.-]+)`), "n", "blank"],
    [sticky(String.raw`(?:true|false|null|yes|no|on|off|~)(?=\s*(?:[,\]}#]|$))`), "n", "blank"],
    [sticky(String.raw`[-+]?\d[\d._]*(?:[KMGT]i?B?)?(?=\s*(?:[,\]}]|#|$))`), "n", "blank"],
    [sticky(String.raw`[\w./@%+:-]+`), ""],
  ],
  json: [[sticky(String.raw`"(?:[^"\\]|\\.)*"(?=\s*:)`), "k"], STRING, [sticky("true|false|null"), "n"], NUMBER],
  shell: [
    [HASH[0], "c", "blank"], STRING, [sticky("'[^']*'?"), "s"], VARIABLE,
    words("if|then|else|elif|fi|for|in|do|done|while|until|case|esac|function|return|exit|set|trap|local|export|exec|shift"),
    WORD,
  ],
  xml: [
    [sticky(String.raw`<!--.*?(?:-->|$)`), "c"], [sticky(String.raw`<[/?!]?[\w:.-]*|[/?]?>`), "k"],
    [sticky(String.raw`[\w:.-]+(?==")`), "n"], [sticky(String.raw`"[^"]*"?`), "s"], [sticky(String.raw`&[\w#]+;`), "n"],
    [sticky(String.raw`[^<>"&\s]+`), ""],
  ],
  kickstart: [
    [HASH[0], "c", "blank"], [sticky(String.raw`%\w+`), "k", "line"], [sticky(String.raw`[\w-]+`), "k", "line"],
    [sticky(String.raw`--[\w-]+`), "n"], STRING, [sticky("'[^']*'?"), "s"], VARIABLE, WORD,
  ],
  preseed: [
    [HASH[0], "c", "line"], [sticky(String.raw`[\w-]+(?=\s+\S+\/)`), "n", "line"], [sticky(String.raw`[\w-]+\/[\w\/-]+`), "k", "blank"],
    WORD,
  ],
  ipxe: [[HASH[0], "c", "line"], [sticky(String.raw`:?\w+`), "k", "line"], VARIABLE, [sticky(String.raw`https?://\S+`), "s"], WORD],
  powershell: [
    [HASH[0], "c", "blank"], STRING, QUOTED, [sticky(String.raw`\$[\w:]+`), "n"], [sticky(String.raw`\b[A-Z]\w*-[A-Z]\w*`), "k"],
    words("if|else|elseif|foreach|for|while|try|catch|finally|function|param|return|throw"),
    [sticky(String.raw`-[A-Za-z]\w*`), "n", "blank"], WORD,
  ],
  text: [],
};

/** How what a file is called tells what is in it. */
export function kindOf(name) {
  if (/\.(sh|ps1|xml|ign|json|ipxe)$/.test(name)) {
    return { sh: "shell", ps1: "powershell", xml: "xml", ign: "json", json: "json", ipxe: "ipxe" }[name.split(".").pop()];
  }
  if (name === "ks.cfg") return "kickstart";
  if (name === "preseed.cfg") return "preseed";
  return name === "passphrase" ? "text" : "yaml";
}

/** The pieces of a line, `[class, text]`, and the state that it leaves behind; the first line has the state "". */
export function lex(kind, line, state) {
  if (kind === "yaml") return lexYaml(line, state);
  if (kind === "xml" && state === "comment") {
    const end = line.indexOf("-->");
    if (end < 0) return { pieces: [["c", line]], state };
    const rest = lex(kind, line.slice(end + 3), "");
    return { pieces: [["c", line.slice(0, end + 3)], ...rest.pieces], state: rest.state };
  }
  const pieces = scan(RULES[kind] ?? [], line, 0);
  const last = pieces[pieces.length - 1];
  const open = kind === "xml" && last?.[0] === "c" && !last[1].endsWith("-->");
  return { pieces, state: open ? "comment" : "" };
}

// The state is how far the line is indented whose block of text (`|` or `>`) goes on.
function lexYaml(line, state) {
  const indent = line.search(/\S/);
  if (state !== "" && (indent < 0 || indent > Number(state))) return { pieces: [["s", line]], state };
  const pieces = scan(RULES.yaml, line, 0);
  const block = /(?:^|[\s:-])[|>][-+0-9]*\s*(?:#.*)?$/.test(line) && !/^\s*#/.test(line);
  return { pieces, state: block ? String(indent) : "" };
}

function scan(rules, line, from) {
  const pieces = [];
  let plain = "";
  let at = from;
  const first = line.search(/\S/);
  while (at < line.length) {
    let found = null;
    for (const [pattern, name, where] of rules) {
      if (where === "line" && at !== first) continue;
      if (where === "blank" && at > 0 && !/[\s,[{(;]/.test(line[at - 1])) continue;
      pattern.lastIndex = at;
      const match = pattern.exec(line);
      if (match && match[0]) { found = [name, match[0]]; break; }
    }
    if (!found || !found[0]) {
      plain += found ? found[1] : line[at];
      at += found ? found[1].length : 1;
      continue;
    }
    if (plain) pieces.push(["", plain]);
    plain = "";
    pieces.push(found);
    at += found[1].length;
  }
  if (plain) pieces.push(["", plain]);
  return pieces;
}

const nodes = (pieces) => pieces.map(([name, text]) => {
  if (!name) return document.createTextNode(text);
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
});

/** Puts pieces into an element. */
export function paint(element, pieces) {
  element.replaceChildren(...nodes(pieces));
}

/** Colours a whole text into an element, which says the same as before. */
export function colour(element, kind, text) {
  const all = document.createDocumentFragment();
  let state = "";
  text.split("\n").forEach((line, number) => {
    const lexed = lex(kind, line, state);
    state = lexed.state;
    all.append(number ? "\n" : "", ...nodes(lexed.pieces));
  });
  element.replaceChildren(all);
}
