//! A cold blob that a hundred clients want at once, beside one download straight from the origin.

use std::{fs, path::Path, process::Stdio, time::Duration};

use super::{
    Options,
    client::{Ask, Manner, send},
    figure::{Goal, Rounds},
    lab::Running,
    net::{Net, ORIGIN},
    noise, origin, ourselves,
    server::{Greenroom, Served, blob_url, check, curl, said, write_manifest},
};

const READERS: usize = 100;
const MIB: u64 = 64;

/// The origin's line: 100 Mbit/s.
const LINE: u64 = 12_500_000;

const TIME: Goal = Goal::AtMost(1.1);

pub fn run(options: &Options, folder: &Path) {
    let rounds = if options.quick { 1 } else { 3 };
    let files = folder.join("origin");
    fs::create_dir_all(&files).unwrap();
    // Each round has its own: a blob is cold once.
    let blobs: Vec<Served> = (0..rounds).map(|round| file(folder, &files, round)).collect();
    let net = Net::new();
    let words = [origin::WORD, &files.display().to_string(), &LINE.to_string()];
    let _origin = Running(ourselves(&net.origin(), &words).stdout(Stdio::null()).spawn().unwrap());
    let greenroom = Greenroom::start(&net, folder, 1024);
    let (mut time, mut bytes) = (Rounds::default(), Rounds::default());
    for blob in &blobs {
        let direct = direct(&net, blob);
        let before = sent(&net);
        let url = blob_url(blob);
        let ask = Ask { manner: Manner::Once, url: &url, bytes: MIB << 20, clients: READERS, time: Duration::ZERO };
        let came = send(&net, &ask);
        assert_eq!(came.whole, READERS as u64, "every reader has the whole");
        time.push(came.seconds, direct);
        bytes.push((sent(&net) - before) as f64, (MIB << 20) as f64);
        check(&net, &url, blob);
    }
    drop(greenroom);
    println!(
        "\na cold blob of {MIB} MiB, {READERS} readers at once, origin at 100 Mbit/s, medians of {rounds}: goal all within \
         1.10x of one download, * = missed\n  seconds {:6.2}  direct {:6.2}  {}\n  origin bytes {}",
        time.ours(),
        time.peer(),
        time.ratio(TIME),
        bytes.ratio(Goal::AtMost(1.0)),
    );
}

fn file(folder: &Path, files: &Path, round: u64) -> Served {
    let name = format!("cold-{round}");
    let digest = noise::write(&files.join(&name), MIB as usize, 1000 + round);
    let served = Served { name, mib: MIB, digest };
    write_manifest(folder, &served, &format!("http://{ORIGIN}/{}", served.name));
    served
}

/// The seconds of one download from where the server stands.
fn direct(net: &Net, blob: &Served) -> f64 {
    let mut command = curl(&net.server(), &format!("http://{ORIGIN}/{}", blob.name));
    command.args(["-f", "--retry", "20", "--retry-connrefused", "--retry-delay", "1"]);
    command.args(["-o", "/dev/null", "-w", "%{time_total}"]);
    said(command).unwrap().parse().unwrap()
}

/// What the origin has sent so far, by its own count.
fn sent(net: &Net) -> u64 {
    said(curl(&net.server(), &format!("http://{ORIGIN}/sent"))).unwrap().parse().unwrap()
}
