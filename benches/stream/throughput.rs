//! Throughput and server CPU: image files over veth, from RAM and from the warm disk tier, beside nginx.

use std::{fs, path::Path, time::Duration};

use greenroom::model::image::Tier;

use super::{
    Options,
    client::{Ask, Manner, send},
    figure::{Goal, Rounds, take_turns},
    net::Net,
    noise,
    process::{Machine, cpu, noise_since},
    server::{Greenroom, Nginx, Served, blob_url, check, nginx_url, write_manifest},
};

/// An image's root file system, and an initrd.
const SIZES_MIB: [u64; 2] = [512, 32];
const CLIENTS: [usize; 4] = [1, 16, 64, 256];

/// The tiers that are measured, and the MiB of RAM for each: no blob takes more than half of it, so the least that can be
/// configured holds none of these files.
pub const TIERS: [(Tier, u64); 2] = [(Tier::Ram, 1024), (Tier::Disk, 16)];

const THROUGHPUT: Goal = Goal::AtLeast(1.0);
const CPU: Goal = Goal::AtMost(1.2);

/// One row of the table.
struct Case {
    mib: u64,
    clients: usize,
}

pub fn run(options: &Options, folder: &Path) {
    let time = Duration::from_millis(if options.quick { 1000 } else { 3000 });
    let cases = |tier: Tier| -> Vec<Case> {
        let all = SIZES_MIB.into_iter().flat_map(|mib| CLIENTS.map(|clients| Case { mib, clients }));
        all.filter(|case| options.wants(&format!("throughput/{}/{}/{}", tier.name(), case.mib, case.clients))).collect()
    };
    if TIERS.iter().all(|(tier, _)| cases(*tier).is_empty()) {
        return;
    }
    let files: Vec<Served> = SIZES_MIB.into_iter().map(|mib| serve(folder, mib)).collect();
    let net = Net::new();
    let nginx = Nginx::start(&net, folder);
    println!(
        "\nthroughput over veth beside nginx (sendfile, 2 workers): goals >= 1.00x MiB/s, <= 1.20x CPU s/GiB, * = missed\n\
         medians of {} rounds of {} ms that take turns; in brackets the least and most of any round",
        options.rounds(),
        time.as_millis()
    );
    println!(
        "{:4} {:>7} {:>7}  {:>8} {:>8}  {:20}  {:>8} {:>8}  ratio",
        "tier", "size", "clients", "MiB/s", "nginx", "ratio", "s/GiB", "nginx"
    );
    let before = Machine::now();
    for (tier, ram) in TIERS {
        let cases = cases(tier);
        if cases.is_empty() {
            continue;
        }
        let greenroom = Greenroom::start(&net, folder, ram);
        for file in &files {
            greenroom.warm(file, tier);
            check(&net, &blob_url(file), file);
            check(&net, &nginx_url(&file.name), file);
        }
        for case in cases {
            let file = files.iter().find(|file| file.mib == case.mib).unwrap();
            let (mut rate, mut cost) = (Rounds::default(), Rounds::default());
            for round in 0..options.rounds() {
                let ours = || measure(&net, &blob_url(file), greenroom.pid(), file, case.clients, time);
                let peer = || measure(&net, &nginx_url(&file.name), nginx.pid(), file, case.clients, time);
                let (ours, peer) = take_turns(round, ours, peer);
                rate.push(ours.0, peer.0);
                cost.push(ours.1, peer.1);
            }
            println!(
                "{tier:4} {:>4}MiB {:>7}  {:8.0} {:8.0}  {:20}  {:8.3} {:8.3}  {}",
                case.mib,
                case.clients,
                rate.ours(),
                rate.peer(),
                rate.ratio(THROUGHPUT).to_string(),
                cost.ours(),
                cost.peer(),
                cost.ratio(CPU),
            );
        }
    }
    println!("{}", noise_since(&before));
}

/// MiB a second, and the server's CPU seconds per GiB.
fn measure(net: &Net, url: &str, pid: u32, file: &Served, clients: usize, time: Duration) -> (f64, f64) {
    let before = cpu(pid);
    let came = send(net, &Ask { manner: Manner::Window, url, bytes: file.mib << 20, clients, time });
    let took = cpu(pid) - before;
    let mib = came.bytes as f64 / f64::from(1 << 20);
    (mib / came.seconds, took.as_secs_f64() / (mib / 1024.0))
}

/// A new file that both servers have.
pub fn serve(folder: &Path, mib: u64) -> Served {
    let www = folder.join("www");
    fs::create_dir_all(&www).unwrap();
    let name = format!("image-{mib}");
    let path = www.join(&name);
    let digest = noise::write(&path, usize::try_from(mib).unwrap(), mib);
    let served = Served { name, mib, digest };
    write_manifest(folder, &served, &format!("file:{}", path.display()));
    served
}
