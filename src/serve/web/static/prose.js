// Words in which `code` stands between backticks and moments as machines write them, as problems, the schema and decisions say it.

/** The words as nodes; what is between backticks as code, moments as pages show them. */
export function prose(text) {
  return text.split(/`([^`]+)`/).flatMap((part, at) => (at % 2 === 0 ? timed(part) : [made("code", part)]));
}

function timed(text) {
  return text.split(/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/).map((part, at) => {
    if (at % 2 === 0) return document.createTextNode(part);
    const time = made("time", part.replace("T", " ").replace("Z", ""));
    time.dateTime = part;
    return time;
  });
}

function made(name, text) {
  const node = document.createElement(name);
  node.textContent = text;
  return node;
}
