//! A draft as a form, and back: no field is missing, inherited values say where they are from, mistakes are at their fields
//! with what mends them.

use greenroom::{
    document::{Change, Content, Path},
    persona::{
        Draft,
        compose::Shelf,
        form::{Act, Field, Form, Kind, Length, State},
        schema::fields,
    },
};

use crate::{samples, shelf};

fn draft(text: &str) -> Draft {
    Draft::of("x", "x.yaml", text, &shelf()).unwrap()
}

fn find<'f>(fields: &'f [Field], path: &Path) -> Option<&'f Field> {
    let field = fields.iter().find(|field| path.is_within(&field.path))?;
    if field.path == *path { Some(field) } else { find(&field.fields, path) }
}

fn field<'f>(form: &'f Form, path: &str) -> &'f Field {
    find(&form.fields, &path.parse().unwrap()).unwrap_or_else(|| panic!("{path} is no field of the form"))
}

fn say(text: &str, path: &str, texts: &[&str]) -> Result<String, String> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    act(text, path, &Act::Say { texts })
}

fn act(text: &str, path: &str, act: &Act) -> Result<String, String> {
    let draft = draft(text);
    let changes = draft.changes(&path.parse().unwrap(), act).map_err(|problem| {
        assert_eq!(problem.about, path);
        problem.message
    })?;
    draft.edit(&changes).map(|edited| edited.text).map_err(|problem| problem.to_string())
}

#[test]
fn no_field_of_the_schema_is_forgotten() {
    let all = fields();
    assert!(all.len() > 130, "{}", all.len());
    for known in all {
        let way = known.path.replace("[]", ".0").replace("<name>", "k");
        let path: Path = way.parse().unwrap();
        let value =
            if known.is_group { Content::Map([("k".to_owned(), Content::Null)].into()) } else { Content::text("k") };
        let start = draft("apiVersion: greenroom/v1\n");
        let edited = start.edit(&[Change::Set { path: path.clone(), value }]).unwrap_or_else(|told| panic!("{told}"));
        let form = draft(&edited.text).form();
        let field = find(&form.fields, &path).unwrap_or_else(|| panic!("{way} is not in the form of\n{}", edited.text));
        assert_eq!(field.state, State::Written, "{way}");
        assert!(field.line > 0 && !field.label.is_empty(), "{way}");
        assert!(!field.help.is_empty(), "{way} has no help");
    }
}

#[test]
fn every_sample_is_a_form_without_a_mistake() {
    for (name, text) in samples() {
        let draft = Draft::of(&name, &format!("{name}.yaml"), &text, &shelf()).unwrap();
        let form = draft.form();
        let errors: Vec<_> = draft.problems.iter().filter(|problem| problem.is_error()).collect();
        assert!(errors.is_empty() && form.fields.len() == 14, "{name}: {errors:?}");
        let json = serde_json::to_value(&form).unwrap();
        assert_eq!(json["fields"][0]["path"], "apiVersion");
        assert_eq!(json["fields"][0]["kind"], "choice");
    }
}

const TEXT: &str = "\
apiVersion: greenroom/v1
description: A desk
extends: [fragments/office-en, fragments/developer]
effect: ephemeral
os: {image: debian-12-live}
apps:
  packages:
    native: [vim]
security:
  users:
    - {name: ann, uid: 1000}
preferences:
  keyboard: de  # ours
";

#[test]
fn a_field_says_where_its_value_comes_from() {
    let draft = draft(TEXT);
    assert!(draft.problems.iter().all(|problem| !problem.is_error()), "{:?}", draft.problems);
    let form = draft.form();
    let keyboard = field(&form, "preferences.keyboard");
    assert_eq!((keyboard.state, keyboard.texts.as_slice()), (State::Written, &["de".to_owned()][..]));
    assert_eq!((keyboard.line, keyboard.column), (13, 13));
    assert_eq!((keyboard.inherited[0].text.as_str(), keyboard.inherited[0].line), ("gb", 7));
    let locale = field(&form, "preferences.locale");
    assert_eq!((locale.state, locale.texts.len(), locale.line), (State::Inherited, 0, 0));
    assert_eq!(locale.inherited[0].file, "fragments/office-en.yaml");
    assert_eq!(field(&form, "preferences.shell").state, State::Unsaid);
    let native = field(&form, "apps.packages.native");
    assert_eq!(native.texts, ["vim"]);
    assert_eq!(native.inherited.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["git", "tmux", "jq"]);
    assert_eq!(field(&form, "apps.packages").length, Some(Length::Long));
    let user = field(&form, "security.users.0");
    assert_eq!((user.label.as_str(), &user.kind), ("user ann", &Kind::Group));
    assert!(matches!(field(&form, "security.users").kind, Kind::Groups { ref item } if item == "user"));
    assert_eq!(field(&form, "security.users.0.sudo").default.as_deref(), Some("false"));
    assert!(matches!(field(&form, "network.bonds").kind, Kind::Groups { .. }));
    let own = field(&form, "description");
    assert!(own.required && own.inherited.is_empty(), "what is each document's own is not inherited");
}

#[test]
fn what_is_filled_in_becomes_text_in_its_place() {
    let is = |path: &str, texts: &[&str], from: &str, to: &str| {
        let made = say(TEXT, path, texts).unwrap_or_else(|told| panic!("{path}: {told}"));
        assert_eq!(made, TEXT.replace(from, to), "{path}\n{made}");
    };
    is("description", &["A desk: two"], "A desk", "\"A desk: two\"");
    is("preferences.keyboard", &["no"], "de  #", "\"no\"  #");
    is("preferences.keyboard", &["de"], "ours", "ours");
    is("preferences.keyboard", &[""], "preferences:\n  keyboard: de  # ours\n", "");
    is("preferences.editor", &["vim"], "# ours\n", "# ours\n  editor: vim\n");
    is("owner", &["desk@example.org"], "extends", "owner: desk@example.org\nextends");
    is("apps.packages.native", &["vim", "", "jq"], "[vim]", "[vim, jq]");
    is("security.users.0.uid", &["1001"], "1000", "1001");
    is("security.users.0.sudo", &["true"], "1000}", "1000, sudo: true}");
    is("os.install.disk", &["/dev/sda"], "-live}", "-live, install: {disk: /dev/sda}}");
    is("labels.site", &["hq"], "extends", "labels:\n  site: hq\nextends");
    is("raw.cloud_init", &["a: [1]\n"], "# ours\n", "# ours\nraw:\n  cloud_init:\n    a: [1]\n");
    is("resources.requires.memory", &["4GiB"], "# ours\n", "# ours\nresources:\n  requires:\n    memory: 4GiB\n");
    for (path, text, told) in [
        ("security.users.0.uid", "x", "a whole number from 0"),
        ("security.users.0.sudo", "maybe", "`true` or `false`"),
        ("effect", "sometimes", "not known here"),
        ("network.interfaces.0.ip.mtu", "70000", "to 65535"),
        ("raw.ignition", "a: [", "not YAML"),
    ] {
        let problem = say(TEXT, path, &[text]).unwrap_err();
        assert!(problem.contains(told), "{path}: {problem}");
    }
}

#[test]
fn lists_and_maps_grow_move_and_change_their_form() {
    let added = act(TEXT, "security.users", &Act::Add { name: "bob".into() }).unwrap();
    assert_eq!(added, TEXT.replace("1000}\n", "1000}\n    - name: bob\n"));
    let moved = act(&added, "security.users.1", &Act::Move { to: 0 }).unwrap();
    assert!(moved.contains("  users:\n    - name: bob\n    - {name: ann, uid: 1000}\n"), "{moved}");
    let service = Act::Add { name: "nginx.service".into() };
    let limited = act(TEXT, "resources.limits.services", &service).unwrap();
    let limited =
        act(&limited, "resources.limits.services.\"nginx.service\"", &Act::Rename { to: "x.service".into() }).unwrap();
    assert!(limited.ends_with("resources:\n  limits:\n    services:\n      x.service: {}\n"), "{limited}");
    let dropped = act(TEXT, "preferences.locale", &Act::Drop).unwrap();
    assert_eq!(field(&draft(&dropped).form(), "preferences.locale").state, State::Dropped);
    let cleared = act(&dropped, "preferences.locale", &Act::Clear).unwrap();
    assert_eq!(cleared, TEXT);
    let short = "apps:\n  packages: [vim]  # mine\n";
    let long = act(short, "apps.packages", &Act::Long).unwrap();
    assert_eq!(long, "apps:\n  packages:  # mine\n    native: [vim]\n");
    assert_eq!(act(&long, "apps.packages", &Act::Short).unwrap(), "apps:\n  packages: [vim]  # mine\n");
    assert!(act(TEXT, "resources.limits.services", &Act::Add { name: String::new() }).is_err());
    // Some editors begin files with a mark.
    assert_eq!(say("\u{feff}owner: a\n", "owner", &["b"]).unwrap(), "\u{feff}owner: b\n");
}

#[test]
fn mistakes_are_at_their_fields_with_what_mends_them() {
    let text = "description: 12\neffect: ephemerl\nos: {imgae: debian}\nextends: office-en\n";
    let mut text = text.to_owned() + "apps: {packages: [vim, jq, vim]}\n";
    for _ in 0..9 {
        let draft = draft(&text);
        let Some(fix) = draft.problems.iter().find_map(|problem| problem.fix.clone()) else { break };
        text = draft.edit(&[fix.change()]).unwrap().text;
    }
    let mended = "apiVersion: greenroom/v1\ndescription: \"12\"\neffect: ephemeral\nos: {image: debian}\nextends: fragments/office-en\napps: {packages: [vim, jq]}\n";
    assert_eq!(text, mended);

    let broken = TEXT.replace("keyboard: de", "keyboard: de_DE").replace("uid: 1000", "uid: -1, groups: [nowhere]");
    let draft = draft(&broken);
    let form = draft.form();
    assert!(!field(&form, "security.users.0.uid").problems.is_empty(), "{:#?}", draft.problems);
    let broken = TEXT.replace("timezone", "x").replace("  keyboard: de", "  timezone: Berlin\n  keyboard: de");
    let form = self::draft(&broken).form();
    let told = &field(&form, "preferences.timezone").problems[0];
    assert_eq!(told.fix.as_ref().map(|fix| fix.label()).as_deref(), Some("Write \"Europe/Berlin\""));
    // An item's way here is not the way that it has among those that are inherited.
    let shared = "apiVersion: greenroom/v1\ndescription: x\nextends: [fragments/admin]\neffect: ephemeral\nos: {image: a}\nsecurity:\n  users:\n    - {name: UPPER}\n";
    let form = self::draft(shared).form();
    assert!(!field(&form, "security.users.0.name").problems.is_empty(), "{form:#?}");

    let form = self::draft("a: [").form();
    assert!(form.fields.is_empty() && form.problems.len() == 1);
    let form = self::draft("unknown: 1\n").form();
    assert!(!field(&form, "os").problems.is_empty() && form.problems.len() == 1, "{:?}", form.problems);
    assert!(Draft::of("x", "x.yaml", &"#".repeat(2 << 20), &Shelf::new()).is_err());
}
