//! Where the time goes when images come from RAM: the ten functions that take most of it themselves, by `perf`.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use greenroom::model::image::Tier;

use super::{
    client::{Ask, Manner, send},
    is_there,
    net::Net,
    server::{Greenroom, blob_url, said},
    throughput::serve,
};

const MIB: u64 = 512;
const CLIENTS: usize = 16;
const TIME: Duration = Duration::from_secs(6);

/// How many functions are shown.
const SHOWN: usize = 10;

pub fn run(folder: &Path) {
    if !is_there("perf") {
        println!("\nno profile: perf is not here (apt-get install linux-perf)");
        return;
    }
    let file = serve(folder, MIB);
    let net = Net::new();
    let greenroom = Greenroom::start(&net, folder, 2 * MIB);
    greenroom.warm(&file, Tier::Ram);
    let recording = folder.join("perf.data");
    let url = blob_url(&file);
    let ask = Ask { manner: Manner::Window, url: &url, bytes: MIB << 20, clients: CLIENTS, time: TIME };
    let recorded = thread::scope(|scope| {
        let clients = scope.spawn(|| send(&net, &ask));
        thread::sleep(Duration::from_millis(500));
        let mut record = Command::new("perf");
        // The clock of the system: virtual machines often have no counters.
        record.args(["record", "-e", "cpu-clock", "-F", "997", "-g", "-p", &greenroom.pid().to_string(), "-o"]);
        record.arg(&recording).args(["--", "sleep"]).arg((TIME.as_secs() - 2).to_string());
        let recorded = said(record);
        clients.join().unwrap();
        recorded
    });
    if let Err(why) = recorded {
        println!("\nno profile: perf cannot record here: {why}");
        return;
    }
    let mut report = Command::new("perf");
    report.args(["report", "--stdio", "--no-children", "-g", "none", "--sort", "symbol,dso", "-i"]).arg(&recording);
    let report = said(report).unwrap();
    println!("\nwhere the time goes, {MIB} MiB from RAM, {CLIENTS} clients (perf, own time):");
    let lines = report.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    for line in lines.take(SHOWN) {
        // Its table is as wide as the longest name, and ends in columns of which it knows nothing here.
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "-").collect();
        println!("  {}", words.join(" "));
    }
    drop(fs::remove_file(recording));
}
