//! Small answers: the first script of every boot, by `wrk`, beside the same bytes as a file of nginx.

use std::{fs, path::Path};

use super::{
    Options,
    figure::{Goal, Rounds, take_turns},
    lab::inside,
    net::Net,
    process::{Machine, noise_since},
    server::{Greenroom, Nginx, curl, nginx_url, our_url, said},
};

const CONNECTIONS: &str = "64";
const REQUESTS: Goal = Goal::AtLeast(0.8);

/// Any boot id is answered: the script is the same for all but for the id in it.
const PATH: &str = "/boot/0123456789/start.ipxe";

pub fn run(options: &Options, folder: &Path) {
    let time = if options.quick { "2s" } else { "5s" };
    fs::create_dir_all(folder.join("www")).unwrap();
    fs::create_dir_all(folder.join("library/images")).unwrap();
    let net = Net::new();
    let _greenroom = Greenroom::start(&net, folder, 64);
    let script = said(curl(&net.clients(), &our_url(PATH))).unwrap();
    assert!(script.starts_with("#!ipxe"), "{script}");
    fs::write(folder.join("www/start.ipxe"), &script).unwrap();
    let _nginx = Nginx::start(&net, folder);
    let before = Machine::now();
    let (mut rate, mut slowest) = (Rounds::default(), Rounds::default());
    for round in 0..options.rounds() {
        let ours = || wrk(&net, &our_url(PATH), time);
        let peer = || wrk(&net, &nginx_url("start.ipxe"), time);
        let (ours, peer) = take_turns(round, ours, peer);
        rate.push(ours.0, peer.0);
        slowest.push(ours.1, peer.1);
    }
    println!(
        "\nscripts of {} bytes beside a file of nginx, wrk -c {CONNECTIONS} -t 2 -d {time}: goal >= 0.80x requests/s, * = \
         missed\n  requests/s {:8.0}  nginx {:8.0}  {}\n  p99 ms     {:8.2}  nginx {:8.2}\n{}",
        script.len(),
        rate.ours(),
        rate.peer(),
        rate.ratio(REQUESTS),
        slowest.ours(),
        slowest.peer(),
        noise_since(&before),
    );
}

/// Requests a second, and the 99th percentile of latency in milliseconds.
fn wrk(net: &Net, url: &str, time: &str) -> (f64, f64) {
    let mut command = inside(&net.clients(), "wrk");
    command.args(["-c", CONNECTIONS, "-t", "2", "-d", time, "--latency", url]);
    let text = said(command).unwrap();
    assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{url}: {text}");
    let figure = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let rate = figure("Requests/sec:").and_then(|rate| rate.parse().ok());
    let slowest = figure("99%").and_then(milliseconds);
    rate.zip(slowest).unwrap_or_else(|| panic!("wrk said: {text}"))
}

/// `1.50ms`, `980.00us` or `1.02s`.
fn milliseconds(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    Some(number.parse::<f64>().ok()? * unit)
}
