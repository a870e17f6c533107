//! What nobody names any more, as the admin's door shows and removes it; and blobs below the folder of a loader's own.

use std::{fs, time::Duration};

use greenroom::model::image::Tier;
use serde_json::{Value, json};

use crate::{
    admin::{ask, post},
    world::House,
};

const NO_BODY: &[&str] = &["-X", "POST"];

async fn collect(house: &House) -> (u16, Value) {
    ask(house, &[NO_BODY, &["/images/gc"]].concat()).await
}

fn digests(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["digest"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_nobody_names_boots_or_reads_is_removed() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let script = house.script(boot).await;
    let report = script.split_whitespace().find_map(|word| word.strip_prefix("post=")).unwrap().to_owned();
    let rootfs = house.rootfs.1.clone();
    let path = format!("/blob/{rootfs}/{boot}/rootfs");
    house.curl(&["-f", "-o", "rootfs.got", &house.url(&path)]).await;
    // A device that has begun to read, and takes its time. The one before had the last byte before the disk had.
    let file = house.context.engine.ground().catalog.file(&rootfs.parse().unwrap()).unwrap().clone();
    house.context.images.warm(&file, |_, _| ()).await.unwrap();
    let reader = house.context.images.blob(&file).await.unwrap();
    assert_ne!(reader.tier, Tier::Origin);

    assert_eq!(ask(&house, &["/images/gc"]).await, (200, json!([])), "the library names it");
    fs::remove_file(house.dir.path().join("library/images/tiny.yaml")).unwrap();
    post(&house, "/library/reload", &json!(null)).await;
    assert_eq!(ask(&house, &["/images/gc"]).await, (200, json!([])), "a boot under way was planned with it");

    // What is broken may have named it.
    let broken = house.dir.path().join("library/images/other.yaml");
    fs::write(&broken, "name: other\n").unwrap();
    post(&house, "/library/reload", &json!(null)).await;
    let (status, told) = collect(&house).await;
    assert!(status == 409 && told["error"].as_str().unwrap().contains("other.yaml"), "{told}");
    fs::remove_file(&broken).unwrap();
    post(&house, "/library/reload", &json!(null)).await;

    house.curl(&["-f", "-d", "{\"phase\":\"ready\"}", &report]).await;
    let (_, found) = ask(&house, &["/images/gc"]).await;
    assert_eq!((digests(&found), &found[0]["is_read"]), (vec![rootfs.as_str()], &json!(true)), "{found}");
    assert_eq!(collect(&house).await, (200, json!([])), "somebody is reading it");

    drop(reader);
    let gone = async {
        loop {
            let (status, gone) = collect(&house).await;
            assert_eq!(status, 200, "{gone}");
            if digests(&gone) == [rootfs.as_str()] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.unwrap();
    assert_eq!(ask(&house, &["/images/gc"]).await, (200, json!([])));
    let held = house.context.images.held();
    assert_eq!((held.0.0, held.1.0), (0, 0), "nothing of it is left in RAM or on disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loader_that_is_told_a_folder_finds_its_file_in_it_and_nothing_else() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    house.script(boot).await;
    let (bytes, digest) = &house.rootfs;
    let tree = format!("/blob/{digest}/{boot}");
    house.curl(&["-f", "-o", "got", &house.url(&format!("{tree}/images/rootfs"))]).await;
    assert!(house.file("got") == *bytes);
    for path in ["/.treeinfo", "/images/updates.img", "/images/../rootfs", "/a/b/c/d/e/rootfs"] {
        let url = house.url(&format!("{tree}{path}"));
        let status = house.curl(&["--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", &url]).await;
        assert_eq!(status, "404", "{path}");
    }
}

/// The last of the lines that the daemon says while it takes a file.
async fn take(house: &House, file: &Value) -> Value {
    let socket = house.dir.path().join("admin.sock");
    let body = json!(["rootfs", file]).to_string();
    let fixed = ["--unix-socket", socket.to_str().unwrap(), "-H", "content-type: application/json", "-d", &body];
    let said = house.curl(&[&fixed[..], &["http://greenroom/images/take"]].concat()).await;
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_takes_a_file_from_where_the_asker_has_it() {
    let house = House::new().await;
    let bytes = crate::world::noise(700_000, 9);
    fs::write(house.dir.path().join("part"), &bytes).unwrap();
    let digest = house.run("sha256sum", &["part"]).await;
    let digest = String::from_utf8_lossy(&digest.stdout)[..64].to_owned();
    let from = |path: &str| format!("file:{}", house.dir.path().join(path).display());
    let file = json!({"sha256": digest, "size": bytes.len(), "origins": [from("part")]});
    let told = take(&house, &file).await;
    assert_eq!(told["ok"], json!(true), "{told}");
    fs::remove_file(house.dir.path().join("part")).unwrap();
    assert_eq!(house.context.images.status(&digest.parse().unwrap()).len.unwrap().0, 700_000);
    let lie = json!({"sha256": "0".repeat(64), "size": bytes.len(), "origins": [from("kernel")]});
    let told = take(&house, &lie).await;
    assert_eq!(told["ok"], json!(false), "{told}");
}
