// The list of devices: one box ticks the whole page, and a line says how many are ticked. And the page of a work: it looks again
// while the work is under way, because the last of its facts comes before the word that it is done.

import { refresh } from "./live.js";

function count() {
  const boxes = [...document.querySelectorAll("#many input[name=mac]")];
  const ticked = boxes.filter((box) => box.checked).length;
  const all = document.getElementById("tick-all");
  const line = document.getElementById("ticked");
  if (!all || !line) return;
  all.hidden = false;
  all.checked = ticked > 0 && ticked === boxes.length;
  all.indeterminate = ticked > 0 && ticked < boxes.length;
  line.textContent = ticked > 0 ? `${ticked} ticked` : "";
}

document.addEventListener("change", (event) => {
  if (event.target.id === "tick-all") {
    for (const box of document.querySelectorAll("#many input[name=mac]")) box.checked = event.target.checked;
  }
  if (event.target.closest("#many")) count();
});
document.addEventListener("part", count);
count();

if (document.getElementById("work")) {
  const look = setInterval(() => document.querySelector("#work .working") ? refresh() : clearInterval(look), 1000);
}
