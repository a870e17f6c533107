//! The schema as editors and people read it: what is committed beside the samples is what the types say.

use std::{fs, path::Path, process::Command};

use greenroom::persona::schema::{Shape, json_schema, reference};

fn committed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_schema_beside_the_samples_is_the_one_that_the_types_make() {
    let text = serde_json::to_string_pretty(&json_schema(Shape::Written)).unwrap();
    assert!(committed("schema.json").trim_end() == text, "run `greenroom persona schema > personas/schema.json`");
}

#[test]
fn the_reference_is_the_one_that_the_types_make() {
    let text = reference();
    let told = "run `greenroom persona schema --markdown > personas/REFERENCE.md`";
    assert!(committed("REFERENCE.md").trim_end() == text.trim(), "{told}");
    let bare: Vec<&str> = text.lines().filter(|line| line.starts_with("| `") && line.ends_with("|  |")).collect();
    assert!(bare.is_empty(), "fields without a description: {bare:?}");
}

/// Every sample and fragment, held against the schema by another implementation of JSON Schema and of YAML.
#[test]
fn every_sample_is_valid_by_the_schema_and_what_is_not_is_refused() {
    let script = r##"
import glob, json, sys, yaml, jsonschema
class Reader(yaml.SafeLoader): pass
Reader.add_constructor("!replace", lambda loader, node: loader.construct_sequence(node, deep=True))
schema = json.load(open("personas/schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
check = jsonschema.Draft202012Validator(schema)
read = lambda path: yaml.load(open(path), Reader)
files = glob.glob("personas/*.yaml") + glob.glob("personas/fragments/*.yaml")
for path in files:
    assert open(path).readline().startswith("# yaml-language-server: $schema="), path
    for error in check.iter_errors(read(path)):
        sys.exit(f"{path}: {error.message}")
for broken in [{}, {"apiVersion": "greenroom/v1", "pakages": []}, {"apiVersion": "greenroom/v1", "os": {"image": 7}}]:
    assert not check.is_valid(broken), broken
print(len(files))
"##;
    let output = Command::new("python3").args(["-c", script]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.trim().parse::<usize>().unwrap() >= 10, "{said}");
}
