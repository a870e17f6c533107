// Parts of a page that follow what happens. `<div id="rows" data-live="boots devices">` is asked for again when one of these
// sections changes: the whole page is, and the part with the same id takes the place of what is shown. An element with
// `data-live-boot="ID"` or `data-live-device="ID"` minds only what is about that attempt or device.
// What changes without anything happening, as bytes that come, says `data-every="SECONDS"` as well, and is asked for so often.
//
// After each look a page rests, the longer the longer it took: many pages that follow much cannot take the server from others.
//
// A tab that nobody looks at holds no stream: browsers open six connections to a server, and every tab would take one.

const POLL = 10_000;
const REST = 3;
const LONGEST_REST = 10_000;
let source = null;
let waiting = false;
let again = false;
let poll = null;

const parts = () => [...document.querySelectorAll("[data-live]")];

function concerns(part, change) {
  if (change.about === "everything") return true;
  if (!part.dataset.live.split(" ").includes(change.about)) return false;
  if (part.dataset.liveBoot) return !change.boot || change.boot === part.dataset.liveBoot;
  if (part.dataset.liveDevice) return !change.device || change.device === part.dataset.liveDevice;
  return true;
}

/** Asks for the page again, and puts what changed in its place. What has the focus, or is being written in, stays. */
export async function refresh() {
  if (waiting) { again = true; return; }
  waiting = true;
  const began = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { "x-live": "1" } });
    if (answer.redirected) { location.reload(); return; }
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts()) {
      const next = fresh.getElementById(part.id);
      if (!next || part.contains(busy())) continue;
      // What other modules made of the part they make of what takes its place: only what is really otherwise is replaced.
      document.dispatchEvent(new CustomEvent("fresh", { detail: next }));
      keep(part, next);
      if (next.isEqualNode(part)) continue;
      part.replaceWith(document.importNode(next, true));
      document.dispatchEvent(new CustomEvent("part", { detail: part.id }));
    }
  } catch {
    // The server is away: the stream says when it is back.
  } finally {
    setTimeout(() => {
      waiting = false;
      if (again) { again = false; refresh(); }
    }, Math.min(LONGEST_REST, REST * (performance.now() - began)));
  }
}

function busy() {
  const field = document.activeElement;
  return field && field.matches("input:not([type=checkbox]), textarea, select") ? field : null;
}

/** What somebody opened stays open, what they ticked stays ticked. */
function keep(old, next) {
  for (const open of old.querySelectorAll("details[id][open]")) next.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
  for (const box of old.querySelectorAll("input[type=checkbox]:checked")) {
    next.querySelector(`input[type=checkbox][name="${CSS.escape(box.name)}"][value="${CSS.escape(box.value)}"]`)?.setAttribute("checked", "");
  }
}

function follow() {
  if (source || document.hidden || parts().length === 0) return;
  source = new EventSource("/live");
  source.addEventListener("change", (event) => {
    const changes = JSON.parse(event.data);
    if (parts().some((part) => changes.some((change) => concerns(part, change)))) refresh();
  });
  source.onopen = () => { clearInterval(poll); poll = null; document.documentElement.dataset.stream = "open"; };
  source.onerror = () => {
    document.documentElement.dataset.stream = "broken";
    if (source.readyState !== EventSource.CLOSED) return;
    // It is refused: most often as nobody is signed in any more, which the page is to show at once.
    source = null;
    if (!poll) refresh();
    poll ??= setInterval(() => { refresh(); follow(); }, POLL);
  };
}

// How long ago each such part was asked for is counted in seconds: the parts themselves come and go.
let seconds = 0;
setInterval(() => {
  seconds += 1;
  if (!document.hidden && parts().some((part) => part.dataset.every && seconds % Number(part.dataset.every) === 0)) refresh();
}, 1000);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { source?.close(); source = null; } else { follow(); if (parts().length) refresh(); }
});
addEventListener("pagehide", () => { source?.close(); source = null; });
addEventListener("pageshow", follow);
follow();
