//! What an edit does to a text, as people would see it: each case is a text, changes, and the text that comes of them.

use greenroom::document::{Change, Content, Document, Path, edit};

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

fn content(json: &str) -> Content {
    serde_json::from_str(json).unwrap()
}

fn set(at: &str, json: &str) -> Change {
    Change::Set { path: path(at), value: content(json) }
}

fn remove(at: &str) -> Change {
    Change::Remove { path: path(at) }
}

fn insert(list: &str, at: usize, json: &str) -> Change {
    Change::Insert { path: path(list), at, value: content(json) }
}

fn shift(list: &str, from: usize, to: usize) -> Change {
    Change::Move { path: path(list), from, to }
}

fn rename(at: &str, to: &str) -> Change {
    Change::Rename { path: path(at), to: to.into() }
}

/// Keys belong in the order of the alphabet here.
fn order(_: &Path) -> Vec<String> {
    ('a'..='z').map(String::from).collect()
}

fn try_edit(text: &str, changes: &[Change]) -> Result<String, String> {
    let document = Document::read("x.yaml", text.into()).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    let edited = edit(&document, changes, &order).map_err(|problem| problem.to_string())?;
    let (old, new) = (&text[edited.old.clone()], &edited.text[edited.new.clone()]);
    let rebuilt = format!("{}{new}{}", &text[..edited.old.start], &text[edited.old.end..]);
    assert_eq!(rebuilt, edited.text, "{old:?} became {new:?}");
    Ok(edited.text)
}

#[track_caller]
fn becomes(text: &str, changes: &[Change], wanted: &str) {
    let made = try_edit(text, changes).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    assert_eq!(made, wanted, "\n--- made\n{made}--- wanted\n{wanted}---");
}

#[track_caller]
fn refused(text: &str, changes: &[Change], word: &str) {
    let told = try_edit(text, changes).expect_err(text);
    assert!(told.contains(word) && told.contains("GR271"), "{told}");
}

const ALL: &str = "\
# About it.
a: one   # why
# What it has.
c:
  x:  'q'
  # of y
  y: [1, 2]

  z: |
    some
     text

e:
  - n: first   # 1
    o: 1
  # the second
  - n: second
    o: 2
";

#[test]
fn a_value_is_written_in_its_place_and_in_its_style() {
    let becomes = |changes: &[Change], from: &str, to: &str| becomes(ALL, changes, &ALL.replace(from, to));
    becomes(&[set("a", "\"two\"")], "a: one ", "a: two ");
    becomes(&[set("a", "\"no\"")], "a: one ", "a: \"no\" ");
    becomes(&[set("a", "12")], "a: one ", "a: 12 ");
    becomes(&[set("c.x", "\"it's\"")], "'q'", "'it''s'");
    becomes(&[set("c.y", "[1, 3]")], "[1, 2]", "[1, 3]");
    becomes(&[set("c.y", "[0, 1, 2]")], "[1, 2]", "[0, 1, 2]");
    becomes(&[set("c.y", "[1]")], "[1, 2]", "[1]");
    becomes(&[set("c.y", "[2]")], "[1, 2]", "[2]");
    becomes(&[set("c.y", "[]")], "[1, 2]", "[]");
    becomes(&[set("c.y.1", "\"a, b\"")], "2]", "\"a, b\"]");
    becomes(&[set("c.z", "\"other\\ntext\\n\"")], "    some\n     text\n", "    other\n    text\n");
    becomes(&[set("c.z", "\"other\\ntext\"")], "|\n    some\n     text\n", "|-\n    other\n    text\n");
    becomes(&[set("c.z", "\" in\\n\"")], "|\n    some\n     text\n", "|2\n     in\n");
    becomes(&[set("c.z", "\"short\"")], "|\n    some\n     text\n", "short\n");
    becomes(&[set("c.z", "{\"k\": 1}")], " |\n    some\n     text\n", "\n    k: 1\n");
    becomes(&[set("e.1.o", "[{\"p\": 1}]")], "    o: 2\n", "    o:\n      - p: 1\n");
    becomes(&[set("e.0", "{\"n\": \"first\", \"o\": 7}")], "o: 1", "o: 7");
    becomes(&[set("c", "\"x\"")], "c:\n  x:  'q'\n  # of y\n  y: [1, 2]\n\n  z: |\n    some\n     text\n", "c: x\n");
    becomes(&[set("a", "{\"k\": {\"l\": 1}}")], "a: one   # why\n", "a:   # why\n  k:\n    l: 1\n");
}

#[test]
fn what_has_the_value_already_keeps_its_bytes() {
    for at in ["a", "c", "c.x", "c.y", "c.y.0", "c.z", "e", "e.0", "e.1.n"] {
        let document = Document::read("x.yaml", ALL.into()).unwrap();
        let all: serde_json::Value = document.parse().unwrap();
        let here = path(at).steps().iter().fold(&all, |value, step| match step.parse::<usize>() {
            Ok(number) => &value[number],
            Err(_) => &value[step.as_str()],
        });
        becomes(ALL, &[set(at, &here.to_string())], ALL);
    }
}

#[test]
fn a_new_key_stands_where_it_belongs() {
    let becomes = |changes: &[Change], from: &str, to: &str| becomes(ALL, changes, &ALL.replace(from, to));
    becomes(&[set("b", "1")], "# What it has.\n", "b: 1\n# What it has.\n");
    becomes(&[set("f", "[\"x\", \"y\"]")], "    o: 2\n", "    o: 2\nf: [x, \"y\"]\n");
    becomes(&[set("d.k", "1")], "     text\n", "     text\n\nd:\n  k: 1\n");
    becomes(&[set("c.w", "1")], "c:\n", "c:\n  w: 1\n");
    becomes(&[set("c.yy", "1")], "     text\n", "     text\n  yy: 1\n");
    becomes(&[set("e.0.a", "1")], "- n: first", "- a: 1\n    n: first");
    becomes(&[set("e.0.p", "\"a\\nb\\n\"")], "o: 1\n", "o: 1\n    p: |\n      a\n      b\n");
    becomes(&[set("e.2", "{\"m\": \"third\", \"o\": [1]}")], "o: 2\n", "o: 2\n  - m: third\n    o: [1]\n");
    becomes(&[insert("e", 0, "\"x\"")], "e:\n", "e:\n  - x\n");
    becomes(&[insert("e", 1, "{\"l\": 1, \"m\": 2}")], "o: 1\n", "o: 1\n  - l: 1\n    m: 2\n");
    becomes(&[insert("c.y", 1, "{\"m\": [1]}")], "[1, 2]", "[1, {m: [1]}, 2]");
    becomes(&[insert("c.m", 7, "\"x\"")], "c:\n", "c:\n  m: [x]\n");
}

#[test]
fn what_goes_takes_its_comments_along_and_no_others() {
    let becomes = |changes: &[Change], from: &str, to: &str| becomes(ALL, changes, &ALL.replace(from, to));
    becomes(&[remove("a")], "a: one   # why\n", "");
    becomes(&[remove("c.x")], "  x:  'q'\n", "");
    becomes(&[remove("c.y")], "  # of y\n  y: [1, 2]\n", "");
    becomes(&[remove("c.y.0")], "[1, 2]", "[2]");
    becomes(&[remove("c.y.1")], "[1, 2]", "[1]");
    becomes(&[remove("c.z")], "\n  z: |\n    some\n     text\n", "");
    becomes(&[remove("c")], &ALL[ALL.find("# What").unwrap()..ALL.find("\ne:").unwrap()], "");
    becomes(&[remove("e.0")], "  - n: first   # 1\n    o: 1\n", "");
    becomes(&[remove("e.1")], "  # the second\n  - n: second\n    o: 2\n", "");
    becomes(&[remove("e.0.n")], "n: first   # 1\n    o", "o");
    becomes(&[remove("e.0"), remove("e.0")], &ALL[ALL.find("\ne:").unwrap()..], "");
    becomes(&[remove("c.y.0"), remove("c.y.0")], "  # of y\n  y: [1, 2]\n", "");
}

#[test]
fn items_move_with_their_comments() {
    let text = "e:\n  # one\n  - 1 # i\n\n  # two\n  - a: 2\n    b: 2\n  - 3\nf: [x, {y: 1}, z]\n";
    becomes(
        text,
        &[shift("e", 0, 2)],
        "e:\n  # two\n  - a: 2\n    b: 2\n\n  - 3\n  # one\n  - 1 # i\nf: [x, {y: 1}, z]\n",
    );
    becomes(text, &[shift("f", 2, 0)], &text.replace("[x, {y: 1}, z]", "[z, x, {y: 1}]"));
    becomes("- 1\n- 2", &[shift("", 1, 0)], "- 2\n- 1");
    becomes("a:\n  - - 1\n    - 2 # b\n", &[shift("a.0", 1, 0)], "a:\n  - - 2 # b\n    - 1\n");
    becomes(text, &[rename("e", "9")], &text.replace("e:\n", "\"9\":\n"));
    becomes(text, &[rename("f.1.y", "a, b")], &text.replace("y: 1", "\"a, b\": 1"));
    refused(text, &[rename("e", "f")], "already");
    refused(text, &[shift("e", 0, 3)], "3 items");
}

#[test]
fn files_keep_their_own_manners() {
    becomes(
        "a: 1\r\nc:\r\n    d: 2\r\n",
        &[set("b.x", "{\"k\": 1}")],
        "a: 1\r\nb:\r\n    x:\r\n        k: 1\r\nc:\r\n    d: 2\r\n",
    );
    becomes("a: 1", &[set("b", "2")], "a: 1\nb: 2");
    becomes("a: 1\nb: 2", &[remove("b")], "a: 1");
    becomes(
        "a:\n- 1\n- 2\n",
        &[set("b.x", "[{\"k\": 1}]"), insert("a", 1, "{\"z\": 1}")],
        "a:\n- 1\n- z: 1\n- 2\nb:\n  x:\n  - k: 1\n",
    );
    becomes("a: {x: 1}\n", &[set("a.z", "\"b\\nc\""), set("a.b", "[]")], "a: {b: [], x: 1, z: \"b\\nc\"}\n");
    becomes("a: [\n  x,  # one\n  y,\n]\n", &[insert("a", 2, "\"z\"")], "a: [\n  x,  # one\n  y,\n  z,\n]\n");
    becomes("a:\nb:   # none\n", &[set("a", "1"), set("b", "[{\"x\": 1}]")], "a: 1\nb:   # none\n  - x: 1\n");
    becomes("a:\n  b: 1\n", &[remove("a.b")], "{}\n");
    becomes("a:\n  b: 1\n  # later: 2\n", &[remove("a.b")], "a: {}\n  # later: 2\n");
    becomes("x:\n  - a: 1\n", &[remove("x.0.a")], "x:\n  - {}\n");
    becomes("a: !replace [1]\n", &[remove("a.0")], "a: !replace []\n");
    becomes("a: !replace [1]\n", &[set("a", "[1, 2]")], "a: !replace [1, 2]\n");
    becomes("a: !replace\n  - 1\n", &[set("a", "7")], "a: !replace 7\n");
    becomes("a:\n  - b\n\n  - c\n", &[insert("a", 2, "\"d\"")], "a:\n  - b\n\n  - c\n\n  - d\n");
    becomes(
        "a:\n  b:\n    c: 1\n  # more of a\n\nd: 1\n",
        &[set("b", "2")],
        "a:\n  b:\n    c: 1\n  # more of a\nb: 2\n\nd: 1\n",
    );
    becomes("---\na: 1\n...\n", &[set("b", "1")], "---\na: 1\nb: 1\n...\n");
    becomes("a: {b: , c}\n", &[set("a.b", "1"), set("a.c", "2")], "a: {b: 1 , c: 2}\n");
    becomes("a: >\n  one\n  two\n\nb: 1\n", &[set("a", "\"x\\ny\\n\"")], "a: |\n  x\n  y\n\nb: 1\n");
    becomes("a: | # why\n  one\nb: 1\n", &[set("a", "2")], "a: 2 # why\nb: 1\n");
    becomes("{}\n", &[set("a", "1")], "a: 1\n");
}

#[test]
fn what_would_break_elsewhere_is_refused_in_words() {
    let shared = "a: &x {k: 1, l: [1]}\nb: *x\nc: {d: *x, e: 1}\n";
    refused(shared, &[set("a.k", "2")], "aliases repeat it elsewhere");
    refused(shared, &[set("b.k", "2")], "written elsewhere: `*x`");
    refused(shared, &[set("b", "2")], "written elsewhere: `*x`");
    refused(shared, &[remove("a")], "holds an anchor");
    becomes(shared, &[remove("b")], "a: &x {k: 1, l: [1]}\nc: {d: *x, e: 1}\n");
    becomes(shared, &[set("c.e", "2")], &shared.replace("e: 1", "e: 2"));
    refused("? a\n: 1\n", &[set("b", "2")], "too special");
    refused("a: [k: 1]\n", &[set("a.0.k", "2")], "put braces around it");
    refused("a: 1\n", &[set("a.b", "2")], "is a number, and holds no `b`");
    refused("a: [1]\n", &[set("a.3", "2")], "has 1 items");
    refused("a: 1\n", &[remove("b")], "not there");
    refused("a: 1\n", &[set("", "[1]")], "stays one");
    refused("a: 1\n", &[insert("a", 0, "1")], "takes no items");
    refused("a: 1\rb: 2\n", &[set("a", "2")], "line ends");
}
