//! Writing an answer file: elements, and texts that stay texts.

/// The namespace of what is listed and of nothing else.
const WCM: &str = "http://schemas.microsoft.com/WMIConfig/2002/State";

/// An answer file as it is written.
pub(super) struct Xml {
    text: String,
    depth: usize,
    architecture: &'static str,
}

impl Xml {
    /// An answer file for an architecture.
    pub(super) fn begin(architecture: &'static str) -> Self {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <unattend xmlns=\"urn:schemas-microsoft-com:unattend\" xmlns:wcm=\"{WCM}\">\n"
        );
        Self { text, depth: 1, architecture }
    }

    /// The whole file.
    pub(super) fn end(self) -> String {
        self.text + "</unattend>\n"
    }

    /// A remark for people. Two hyphens would end it.
    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("<!-- {} -->", escaped(&text.replace('-', "\u{2010}"))));
    }

    /// A configuration pass.
    pub(super) fn pass(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.element("settings", &format!(" pass=\"{name}\""), inside);
    }

    /// A component of Windows.
    pub(super) fn component(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        let attributes = format!(
            " name=\"{name}\" processorArchitecture=\"{}\" publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" \
             versionScope=\"nonSxS\"",
            self.architecture
        );
        self.element("component", &attributes, inside);
    }

    /// An element with elements in it.
    pub(super) fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.element(name, "", inside);
    }

    /// An entry of a list.
    pub(super) fn listed(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.element(name, " wcm:action=\"add\"", inside);
    }

    /// An element with text in it.
    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.line(&format!("<{name}>{}</{name}>", escaped(text)));
    }

    fn element(&mut self, name: &str, attributes: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!("<{name}{attributes}>"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line(&format!("</{name}>"));
    }

    fn line(&mut self, line: &str) {
        self.text.extend(["  ".repeat(self.depth).as_str(), line, "\n"]);
    }
}

/// A text as XML has it. What XML 1.0 has no way to write is left out; validation refuses it before it comes here.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A parser would turn a bare one into a line feed.
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => escaped.push(c),
        }
    }
    escaped
}
