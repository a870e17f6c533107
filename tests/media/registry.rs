//! Debian's `docker-registry` on loopback, filled by skopeo; and a registry that leads elsewhere, as the large ones do.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, StatusCode, header},
};
use greenroom::{
    images::{S3Settings, survey},
    model::image::Origin,
};
use serde_json::{Value, json};

use super::{
    port::free_port,
    stage::{Stage, args_of, noise, run, sha256},
};

/// `user:secret`, with bcrypt as the registry wants it.
const HTPASSWD: &str = "user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

struct Registry {
    child: Child,
    host: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Registry {
    fn start(stage: &Stage, auth: &str) -> Self {
        let host = format!("127.0.0.1:{}", free_port());
        let root = stage.path("registry");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{host}'}}\n{auth}",
            root.display()
        );
        fs::write(stage.path("registry.yml"), config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(stage.path("registry.yml")).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let registry = Self { child, host };
        for _ in 0..600 {
            if std::net::TcpStream::connect(&registry.host).is_ok() {
                return registry;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the registry does not start");
    }
}

/// An OCI layout of these files, pushed to `lab/live:12` by skopeo.
fn push(stage: &Stage, registry: &Registry, kind: &str, files: &[(&str, Vec<u8>)], options: &[&str]) -> String {
    let blobs = stage.path("layout/blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        let digest = sha256(bytes);
        fs::write(blobs.join(&digest), bytes).unwrap();
        (format!("sha256:{digest}"), bytes.len())
    };
    let layer = |(name, bytes): &(&str, Vec<u8>)| {
        let (digest, size) = put(bytes);
        json!({"mediaType": kind, "digest": digest, "size": size, "annotations": {"org.opencontainers.image.title": name}})
    };
    let layers: Vec<Value> = files.iter().map(layer).collect();
    let (config, len) = put(b"{}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": len},
        "layers": layers,
        "annotations": {"org.opencontainers.image.version": "12.7", "org.opencontainers.image.title": "the lab's Debian"},
    });
    let (digest, size) = put(manifest.to_string().as_bytes());
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size,
        "annotations": {"org.opencontainers.image.ref.name": "12"},
    }]});
    let text = index.to_string();
    stage.write("layout", &[("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}"), ("index.json", text.as_bytes())]);
    let to = format!("docker://{}/lab/live:12", registry.host);
    let fixed = ["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"];
    run(stage.dir.path(), "skopeo", &[&fixed[..], options, &["oci:layout:12", &to]].concat());
    digest
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![("vmlinuz", noise(1, 300_000)), ("initrd.img", noise(2, 200_000)), ("filesystem.squashfs", noise(3, 900_000))]
}

async fn digest_of(origin: &Value) -> Result<String, String> {
    let origin: Origin = origin.as_str().unwrap().parse().unwrap();
    survey(&S3Settings::default(), &origin, |_, _| ()).await.map(|(digest, _)| digest.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_added_by_its_digests_and_read_from_the_registry() {
    let stage = Stage::new();
    let registry = Registry::start(&stage, "");
    push(&stage, &registry, "application/octet-stream", &files(), &[]);
    let reference = format!("oci:{}/lab/live:12", registry.host);
    let image = stage.added(&["x", &reference]);
    for ((_, bytes), role) in files().iter().zip(["kernel", "initrd", "rootfs"]) {
        let file = &image["files"][role];
        assert_eq!((&file["sha256"], &file["size"]), (&sha256(bytes).into(), &bytes.len().into()), "{role}");
        let origin = format!("oci:{}/lab/live@sha256:{}", registry.host, sha256(bytes));
        assert_eq!(file["origins"][0], origin);
        assert_eq!(digest_of(&file["origins"][0]).await, Ok(sha256(bytes)), "{role}");
    }
    assert_eq!((&image["version"], &image["description"]), (&"12.7".into(), &"the lab's Debian".into()));
    assert!(args_of(&image).contains(&"fetch={{blob:rootfs}}"));
    let gone = stage.add(&["y", &format!("oci:{}/lab/live:13", registry.host)]);
    assert!(gone.code == Some(1) && gone.all.contains("the registry does not have it"), "{}", gone.all);
}

#[test]
fn a_container_is_no_image_that_boots() {
    let stage = Stage::new();
    let registry = Registry::start(&stage, "");
    push(&stage, &registry, "application/vnd.oci.image.layer.v1.tar+gzip", &[("root", noise(1, 1000))], &[]);
    let said = stage.refused(&["x", &format!("oci:{}/lab/live:12", registry.host)]);
    assert!(said.contains("its layers are archives") && said.contains("oras push"), "{said}");
}

#[test]
fn a_registry_that_wants_a_password_gets_it_from_a_file_and_nobody_else_sees_it() {
    let stage = Stage::new();
    let htpasswd = stage.path("htpasswd");
    fs::write(&htpasswd, HTPASSWD).unwrap();
    let auth = format!("auth: {{htpasswd: {{realm: lab, path: {}}}}}\n", htpasswd.display());
    let registry = Registry::start(&stage, &auth);
    push(&stage, &registry, "application/octet-stream", &files(), &["--dest-creds", "user:secret"]);
    let reference = format!("oci:{}/lab/live:12", registry.host);
    let closed = stage.refused(&["x", &reference]);
    assert!(closed.contains("skopeo login --authfile"), "{closed}");
    // As skopeo itself writes it.
    let login =
        ["login", "--authfile", "auth.json", "--tls-verify=false", "-u", "user", "-p", "secret", &registry.host];
    run(stage.dir.path(), "skopeo", &login);
    let image = stage.added(&["x", &reference, "--registry-auth", "auth.json"]);
    let manifest = fs::read_to_string(stage.path("library/images/x.yaml")).unwrap();
    // `user:secret` in base64.
    assert!(!manifest.contains("secret") && !manifest.contains("dXNlcjpzZWNyZXQ="), "{manifest}");
    assert_eq!(image["files"]["kernel"]["sha256"], sha256(&files()[0].1));
    fs::set_permissions(stage.path("auth.json"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_dir_all(stage.path("library/images")).unwrap();
    let said = stage.refused(&["x", &reference, "--registry-auth", "auth.json"]);
    assert!(said.contains("chmod o=") && !said.contains("dXNlcjpzZWNyZXQ="), "{said}");
}

/// What a server was asked: the path, and the `Authorization` that came with it.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

async fn serve(answer: impl Fn(&str, Option<&str>) -> Response<Body> + Send + Sync + 'static) -> (String, Asked) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let asked: Asked = Arc::default();
    let (log, answer) = (asked.clone(), Arc::new(answer));
    let router = Router::new().fallback(move |request: Request| {
        let key = request.headers().get(header::AUTHORIZATION).map(|key| key.to_str().unwrap().to_owned());
        let path = request.uri().path_and_query().unwrap().to_string();
        let answer = answer(&path, key.as_deref());
        log.lock().unwrap().push((path, key));
        async move { answer }
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (host, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_had_with_the_password_and_a_redirect_takes_neither_along() {
    let bytes = noise(7, 400_000);
    let digest = sha256(&bytes);
    let body = bytes.clone();
    let (storage, stored) = serve(move |_, _| Response::new(Body::from(body.clone()))).await;
    let (service, tokens) = serve(|_, key| {
        let good = key == Some("Basic dXNlcjpzZWNyZXQ=");
        let token = json!({"token": "let-me-in"}).to_string();
        let response = Response::builder().status(if good { StatusCode::OK } else { StatusCode::UNAUTHORIZED });
        response.body(Body::from(if good { token } else { String::new() })).unwrap()
    })
    .await;
    let layer = json!({"mediaType": "application/vnd.lab.kernel", "digest": format!("sha256:{digest}"), "size": bytes.len(),
        "annotations": {"org.opencontainers.image.title": "linux"}});
    let manifest = json!({"schemaVersion": 2, "layers": [layer]}).to_string();
    let away = format!("http://{storage}/bucket/{digest}?signed=yes");
    let (host, asked) = serve(move |path, key| {
        let response = Response::builder();
        if key != Some("Bearer let-me-in") {
            let challenge =
                format!("Bearer realm=\"http://{service}/token\",service=\"lab\",scope=\"repository:a/b:pull\"");
            return response.status(401).header(header::WWW_AUTHENTICATE, challenge).body(Body::empty()).unwrap();
        }
        match path {
            "/v2/a/b/manifests/1" => response.body(Body::from(manifest.clone())).unwrap(),
            _ => response.status(307).header(header::LOCATION, &away).body(Body::empty()).unwrap(),
        }
    })
    .await;
    let stage = Stage::new();
    let auth = json!({"auths": {&host: {"auth": "dXNlcjpzZWNyZXQ="}}}).to_string();
    stage.write("", &[("auth.json", auth.as_bytes())]);
    fs::set_permissions(stage.path("auth.json"), fs::Permissions::from_mode(0o600)).unwrap();
    // The blob is read as well when it is named as a file.
    let blob = format!("oci:{host}/a/b@sha256:{digest}");
    let reference = format!("oci:{host}/a/b:1");
    let image = tokio::task::spawn_blocking(move || {
        let image = stage.added(&["x", &reference, "--registry-auth", "auth.json"]);
        let fetched = Command::new(env!("CARGO_BIN_EXE_greenroom"))
            .args(["image", "add", "y", "--kernel", &blob, "--library", "library"])
            .env("REGISTRY_AUTH_FILE", stage.path("auth.json"))
            .env("GREENROOM_CONFIG", "/nonexistent/greenroom.yaml")
            .current_dir(stage.dir.path())
            .output()
            .unwrap();
        assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
        image
    });
    let image = image.await.unwrap();
    assert_eq!(image["files"]["kernel"]["sha256"], digest);
    let count =
        |log: &Asked, key: Option<&str>| log.lock().unwrap().iter().filter(|(_, has)| has.as_deref() == key).count();
    assert_eq!(count(&stored, None), 1, "the storage was asked once, and told nothing");
    assert_eq!(stored.lock().unwrap().len(), 1);
    assert_eq!(tokens.lock().unwrap()[0].0, "/token?service=lab&scope=repository%3Aa%2Fb%3Apull");
    // The password itself never went to the registry, which asked for a token.
    assert_eq!(count(&asked, Some("Basic dXNlcjpzZWNyZXQ=")), 0);
    assert_eq!(count(&asked, Some("Bearer let-me-in")), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_is_not_what_was_asked_for_is_refused() {
    let manifests: BTreeMap<&str, String> = BTreeMap::from([
        ("/v2/a/b/manifests/other", "{\"layers\": []}".to_owned()),
        ("/v2/a/b/manifests/md5", json!({"layers": [{"mediaType": "x", "digest": "md5:1", "size": 1}]}).to_string()),
        ("/v2/a/b/manifests/text", "<html>".to_owned()),
    ]);
    let (host, _) = serve(move |path, _| {
        let body = manifests.get(path).cloned().unwrap_or_else(|| "{\"layers\": []}".into());
        let lie = format!("sha256:{}", "0".repeat(64));
        Response::builder()
            .header("docker-content-digest", if path.ends_with("other") { lie } else { String::new() })
            .body(Body::from(body))
            .unwrap()
    })
    .await;
    let stage = Stage::new();
    let pinned = format!("@sha256:{}", "1".repeat(64));
    let refused = tokio::task::spawn_blocking(move || {
        for (rest, told) in [
            (":other", "something altered it"),
            (pinned.as_str(), "something altered it"),
            (":md5", "only sha256 is understood"),
            (":text", "does not read"),
        ] {
            let said = stage.refused(&["x", &format!("oci:{host}/a/b{rest}")]);
            assert!(said.contains(told), "{rest}: {said}");
        }
    });
    refused.await.unwrap();
}
