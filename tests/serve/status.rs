//! What everybody on the network may see: the page, health, metrics. No secrets, whatever is wrong.

use std::fs;

use crate::world::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_document_is_told_of_without_what_is_written_in_it() {
    let house = House::new().await;
    let text = "apiVersion: greenroom/v1\ndescription: x\neffect: ephemeral\nos: {image: tiny}\n\
                security: {users: [{name: a, password_hash: hunter2-in-plain}]}\nhunter3: secret\n";
    fs::write(house.dir.path().join("library/broken.yaml"), text).unwrap();
    house.context.refresh_library(true);
    let page = house.curl(&["-f", &house.url("/")]).await;
    assert!(page.contains("broken.yaml") && page.contains("persona check"), "{page}");
    let health = house.curl(&["-f", &house.url("/healthz")]).await;
    assert!(health.contains("\"ok\":false"), "{health}");
    let metrics = house.curl(&["-f", &house.url("/metrics")]).await;
    for secret in ["hunter", "$6$salt"] {
        assert!(!page.contains(secret) && !health.contains(secret) && !metrics.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_claims_is_text_and_tokens_are_nowhere() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let claim = "/boot/ID/script.ipxe?product=%3Cscript%3Ealert(1)%3C%2Fscript%3E&manufacturer=%22%3E%3Cimg%20src=x%3E";
    let script = house.curl(&["-f", &house.url(&claim.replace("ID", &boot.to_string()))]).await;
    let token = script.split_whitespace().find_map(|word| word.strip_prefix("seed=")?.split('/').nth(5)).unwrap();
    let page = house.curl(&["-f", &house.url("/")]).await;
    assert!(page.contains(&boot.to_string()) && page.contains("52:54:00:77:00:01"), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    let metrics = house.curl(&["-f", &house.url("/metrics")]).await;
    assert!(!page.contains(token) && !metrics.contains(token));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_was_asked() {
    let house = House::new().await;
    for _ in 0..3 {
        house.curl(&["-o", "/dev/null", &house.url("/blob/none")]).await;
    }
    house.curl(&["-o", "/dev/null", &house.url(&format!("/blob/{}", house.rootfs.1))]).await;
    assert_eq!(house.metric("greenroom_http_requests_total{route=\"not-found\",status=\"404\"}").await, Some(3));
    assert_eq!(house.metric("greenroom_blob_bytes_total{kind=\"origin\"}").await, Some(3_000_001));
    let text = house.curl(&["-f", &house.url("/metrics")]).await;
    assert!(text.ends_with("# EOF\n"), "the OpenMetrics form ends so");
}
