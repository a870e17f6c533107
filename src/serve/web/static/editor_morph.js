// Makes what is shown the same as what was drawn anew, touching only what differs: the focus, the caret, what is open and what
// somebody is filling in at the moment stay.

/** Makes the children of `shown` those of `drawn`. Elements with the same `data-key` are the same. */
export function morph(shown, drawn) {
  const keyed = new Map([...shown.children].filter((child) => child.dataset.key).map((child) => [child.dataset.key, child]));
  let at = shown.firstChild;
  for (const next of [...drawn.childNodes]) {
    const same = next.dataset?.key ? keyed.get(next.dataset.key) : at && !at.dataset?.key ? at : null;
    if (same && same.nodeName === next.nodeName) {
      if (same !== at) shown.insertBefore(same, at);
      else at = at.nextSibling;
      blend(same, next);
    } else {
      shown.insertBefore(next, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function blend(shown, drawn) {
  if (shown.nodeType !== Node.ELEMENT_NODE) {
    if (shown.data !== drawn.data) shown.data = drawn.data;
    return;
  }
  for (const { name } of [...shown.attributes]) {
    if (!drawn.hasAttribute(name) && name !== "data-sent") shown.removeAttribute(name);
  }
  for (const { name, value } of [...drawn.attributes]) {
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
  const busy = shown === document.activeElement;
  if (shown.matches("textarea, input, select")) {
    const value = drawn.value;
    if (shown.matches("select")) morph(shown, drawn);
    if (!busy && shown.value !== value) { shown.value = value; delete shown.dataset.sent; }
    return;
  }
  morph(shown, drawn);
}
