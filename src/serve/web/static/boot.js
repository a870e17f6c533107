// The page of an attempt that is under way: lines of a console and the time that passes are no facts, of which `live` hears.
import "./code.js";
import { refresh } from "./live.js";

const EVERY = 4_000;

setInterval(() => {
  if (!document.hidden && document.querySelector("[data-under-way]")) refresh();
}, EVERY);
