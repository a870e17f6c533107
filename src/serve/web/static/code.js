// Colours for the texts of a page: `<pre data-code="ks.cfg">` says what the file is called. Without this they are there all the same.
import { colour, kindOf } from "./colour.js";

// What is longer than this is read by programs, not by people.
const MOST = 1 << 18;

function look(root) {
  for (const pre of root.querySelectorAll("pre[data-code]")) {
    const text = pre.textContent;
    if (pre.childElementCount === 0 && text.length <= MOST) colour(pre, kindOf(pre.dataset.code), text);
  }
}
look(document);
document.addEventListener("fresh", (event) => look(event.detail));
