//! The document: valid, true, and enough for a generator of clients.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    door::{Door, answer},
    reads::predict,
};

/// A program that `make setup` put into the environment of the validators.
fn tool(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/validators/bin").join(name);
    assert!(path.exists(), "{} is missing: run `make setup`", path.display());
    path.display().to_string()
}

const ALL_SCOPES: &str = "read,audit:read,devices:write,users:write,assignments:write,arm,cache:write";

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_valid_and_the_same_wherever_it_is_read() {
    let door = Door::open().await;
    let served = answer(door.web.get(door.url("/api/v1/openapi.json"))).await;
    assert_eq!((served.status, &served.body["openapi"]), (200, &json!("3.1.0")));
    let (good, printed) = door.cli(&["api", "openapi"]).await;
    assert!(good);
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), served.body);
    fs::write(door.house.dir.path().join("openapi.json"), &served.text).unwrap();
    let checked = door.house.run(&tool("openapi-spec-validator"), &["--schema", "3.1", "openapi.json"]).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    for (path, item) in served.body["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let needs = operation["security"][0]["token"][0].as_str();
            assert!(needs.is_some_and(|scope| ALL_SCOPES.contains(scope)), "{method} {path} names its scope");
            assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{method} {path}");
        }
    }
    let same = door.web.get(door.url("/api/v1/openapi.json")).header("if-none-match", served.header("etag"));
    assert_eq!(answer(same).await.status, 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_tells_every_operation_and_needs_nobody_else() {
    let door = Door::open().await;
    let page = answer(door.web.get(door.url("/api/v1/"))).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let document = answer(door.web.get(door.url("/api/v1/openapi.json"))).await.body;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.text.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }
    for foreign in ["<script", "src=", "http://", "https://", "@import", "url("] {
        assert!(!page.text.contains(foreign), "{foreign}");
    }
    let bare = answer(door.web.get(door.url("/api/v1"))).await;
    assert_eq!(bare.status, 200, "with and without the slash");
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    let door = Door::open().await;
    let token = door.token("fuzz", ALL_SCOPES).await;
    let boot = door.house.begin(1).await;
    door.house.script(boot).await;
    predict(&door, "52:54:00:77:00:01");
    door.ask(&token, "PUT", "/users/ann@lab.example", &[], Some(json!({"attributes": {"role": "x"}}))).await;
    door.ask(
        &token,
        "PUT",
        "/devices/52:54:00:77:00:02",
        &[],
        Some(json!({"attributes": {"user": "ann@lab.example"}})),
    )
    .await;
    let url = door.url("/api/v1/openapi.json");
    let authorization = format!("Authorization: Bearer {token}");
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                  response_headers_conformance,negative_data_rejection,unsupported_method,ignored_auth";
    let arguments = [
        "run",
        &url,
        "-H",
        &authorization,
        "--checks",
        checks,
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "12",
        "--seed",
        "5",
        // More would parse Python in several threads at once, which Debian 12's Python gets wrong now and then: "AST constructor
        // recursion depth mismatch" (CPython issue 106905).
        "--workers",
        "1",
        "--no-color",
        "--generation-database",
        "none",
        "--request-timeout",
        "20",
    ];
    let run = door.house.run(&tool("schemathesis"), &arguments).await;
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("passed") || said.contains("No issues found"), "{said}");
}

/// What a service desk does, by the generated client.
const DESK: &str = r#"
import sys
from greenroom_client import AuthenticatedClient
from greenroom_client.api.assignments import assign_persona, get_assignment, assign_many, unassign_persona
from greenroom_client.api.devices import list_devices, put_device
from greenroom_client.models import AssignmentSaid, DeviceSaid, ManySaid, Assignment, Problem

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token)
mac = "52:54:00:77:00:02"
device = put_device.sync(mac, client=client, body=DeviceSaid.from_dict({"attributes": {"role": "kiosk"}}))
print("put_device       ", device.device, device.attributes.to_dict())
said = AssignmentSaid(persona="lab", reason="ticket 4711")
answer = assign_persona.sync_detailed(mac, client=client, body=said, idempotency_key="ticket-4711")
print("assign_persona   ", answer.status_code.value, answer.parsed.persona, "by", answer.parsed.by)
read = get_assignment.sync(mac, client=client)
assert isinstance(read, Assignment), read
print("get_assignment   ", read.persona, "because", read.reason, "holds", read.holds)
again = assign_persona.sync_detailed(mac, client=client, body=said, idempotency_key="ticket-4711")
print("assign_persona   ", again.status_code.value, "replayed", again.headers.get("idempotency-replayed"))
wrong = assign_persona.sync(mac, client=client, body=AssignmentSaid(persona="labb"))
assert isinstance(wrong, Problem), wrong
print("assign_persona   ", wrong.status, wrong.type_, wrong.errors[0].pointer, "->", wrong.errors[0].suggestion)
many = assign_many.sync(client=client, body=ManySaid(persona="lab", filter_="role=kiosk", dry_run=True))
print("assign_many      ", many.count, "device, dry run", many.dry_run)
print("list_devices     ", [one.device for one in list_devices.sync(client=client, filter_="persona=lab").items])
print("unassign_persona ", unassign_persona.sync_detailed(mac, client=client).status_code.value)
"#;

const TRANSCRIPT: &str = "\
put_device        52:54:00:77:00:02 {'role': 'kiosk'}
assign_persona    201 lab by token:helpdesk
get_assignment    lab because ticket 4711 holds True
assign_persona    200 replayed true
assign_persona    422 /api/v1/problems/no-persona /persona -> lab
assign_many       1 device, dry run True
list_devices      ['52:54:00:77:00:02']
unassign_persona  204
";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_a_generator_made_assigns_a_persona_and_reads_it_back() {
    let door = Door::open().await;
    let token = door.token("helpdesk", "devices:write,assignments:write").await;
    let dir = door.house.dir.path();
    let (_, document) = door.cli(&["api", "openapi"]).await;
    fs::write(dir.join("openapi.json"), document).unwrap();
    fs::write(dir.join("options.yaml"), "project_name_override: greenroom-client\npost_hooks: []\n").unwrap();
    let arguments = ["generate", "--path", "openapi.json", "--config", "options.yaml", "--fail-on-warning"];
    let made = door.house.run(&tool("openapi-python-client"), &arguments).await;
    assert!(
        made.status.success(),
        "{}{}",
        String::from_utf8_lossy(&made.stdout),
        String::from_utf8_lossy(&made.stderr)
    );
    fs::write(dir.join("greenroom-client/desk.py"), DESK).unwrap();
    let run = door.house.run(&tool("python"), &["greenroom-client/desk.py", &door.url("/api/v1"), &token]).await;
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(said, TRANSCRIPT, "{}", String::from_utf8_lossy(&run.stderr));
}
