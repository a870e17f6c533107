//! Rates: a client is never faster than its own, and clients share what there is. Only what a slow machine cannot break is
//! asserted: that nobody got more.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use greenroom::model::{
    Bytes,
    site::{Match, Quirk},
};

use tokio::{io::BufReader, net::TcpSocket};

use crate::{socket::Socket, world::House};

const MIB: u64 = 1 << 20;

/// How long the blob takes on so many connections at once, of each its own.
async fn take(house: &House, path: &str, connections: usize) -> Duration {
    let began = Instant::now();
    let fetches = (0..connections).map(|_| async {
        let mut client = Socket::connect(house.http).await;
        client.get(path, "").await;
        let (head, body) = client.answer().await;
        assert!(head.status == 200 && body == house.rootfs.0);
    });
    futures_util::future::join_all(fetches).await;
    began.elapsed()
}

/// How long so many whole blobs take at least at a rate: what is made up for after a late timer is left out.
fn least(house: &House, blobs: usize, rate: u64) -> Duration {
    let bytes = (house.rootfs.0.len() * blobs) as f64;
    Duration::from_secs_f64(bytes * 0.9 / rate as f64) - Duration::from_millis(100)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_held_to_its_rate_on_one_connection_and_on_four() {
    let house = House::with_rates(Some(Bytes(4 * MIB)), None, vec![]).await;
    let path = format!("/blob/{}", house.rootfs.1);
    let one = take(&house, &path, 1).await;
    assert!(one >= least(&house, 1, 4 * MIB), "{one:?}");
    let four = take(&house, &path, 4).await;
    assert!(four >= least(&house, 4, 4 * MIB), "{four:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_clients_together_are_held_to_the_total() {
    let house = House::with_rates(Some(Bytes(64 * MIB)), Some(Bytes(6 * MIB)), vec![]).await;
    let path = format!("/blob/{}", house.rootfs.1);
    let three = take(&house, &path, 3).await;
    assert!(three >= least(&house, 3, 6 * MIB), "{three:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_stalls_at_line_rate_gets_less_and_nobody_else_does() {
    let slow = Quirk {
        when: Match { mac: vec!["52:54:00:77:00:01".parse().unwrap()], ..Match::default() },
        option_43: None,
        option_67: None,
        disk: None,
        rate: Some(Bytes(2 * MIB)),
    };
    let house = House::with_rates(None, None, vec![slow]).await;
    let (slow, quick) = (house.begin(1).await, house.begin(2).await);
    let digest = &house.rootfs.1;
    let held = take(&house, &format!("/blob/{digest}/{slow}/rootfs"), 1).await;
    assert!(held >= least(&house, 1, 2 * MIB), "{held:?}");
    // A device without a quirk asks nobody: 20 blobs would take half a minute at that rate.
    let free = take(&house, &format!("/blob/{digest}/{quick}/rootfs"), 20).await;
    assert!(free < least(&house, 20, 2 * MIB), "{free:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_connections_get_no_more_than_one() {
    let house = House::with_rates(None, Some(Bytes(4 * MIB)), vec![]).await;
    let path = format!("/blob/{}", house.rootfs.1);
    let from = async |host: u8| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, host], 0).into()).unwrap();
        let mut client = Socket(BufReader::new(socket.connect(house.http).await.unwrap()));
        client.get(&path, "").await;
        assert_eq!(client.head().await.status, 200);
        client
    };
    let greedy = AtomicUsize::new(0);
    let take_all = async || {
        let mut client = from(2).await;
        loop {
            greedy.fetch_add(client.body(1000).await.len(), Ordering::Relaxed);
        }
    };
    let modest = async {
        let mut client = from(3).await;
        // Both are under way for a while before anything is counted.
        client.body(500_000).await;
        let before = greedy.load(Ordering::Relaxed);
        client.body(1_500_000).await;
        greedy.load(Ordering::Relaxed) - before
    };
    let greedy_ones = futures_util::future::join_all((0..8).map(|_| take_all()));
    tokio::select! {
        // By connections it would be eight times as much.
        got = modest => assert!(got < 4 * 1_500_000, "{got} bytes beside 1500000"),
        _ = greedy_ones => unreachable!("there is more than that"),
    }
}
