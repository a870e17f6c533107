// Words in which `code` stands between backticks, as problems and the schema say it.

/** The words as nodes; what is between backticks as code. */
export function prose(text) {
  return text.split(/`([^`]+)`/).map((part, at) => {
    if (at % 2 === 0) return document.createTextNode(part);
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}
