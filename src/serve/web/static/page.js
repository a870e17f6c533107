// What every page does with scripts: it follows what happens (`live`), and asks before something is done.
import "./live.js";

// `<button data-ask="It will be wiped at its next boot.">`, or the same on a form: done only when whoever reads it says so.
// Without scripts the form is sent: what must be asked for in any case has a page of its own.
document.addEventListener("submit", (event) => {
  const words = event.submitter?.dataset.ask ?? event.target.dataset.ask;
  if (words && !confirm(words)) event.preventDefault();
});

// Moments are UTC in the page; whoever looks reads them in their own time.
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) time.title = moment.toLocaleString();
  }
}

// A table that is wider than the screen scrolls in its card; keys scroll what has the focus, so that must be able to have it.
function reach(root) {
  for (const card of root.querySelectorAll(".card")) {
    if (card.scrollWidth > card.clientWidth) card.tabIndex = 0;
  }
}

function look() {
  localise(document);
  reach(document);
}
look();
document.addEventListener("part", look);
document.addEventListener("fresh", (event) => localise(event.detail));
addEventListener("resize", () => reach(document));
