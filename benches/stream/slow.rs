//! Memory: slow readers of a large image, from RAM and from disk, beside as many of nginx. All at once, in networks of their
//! own: what is measured is memory, which nobody takes from one another.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread::{self, sleep},
    time::Duration,
};

use super::{
    Options,
    client::{Ask, Came, Manner, send},
    net::Net,
    process::Memory,
    server::{Greenroom, Nginx, Served, blob_url, nginx_url, write_manifest},
    throughput::{TIERS, serve},
};

const READERS: usize = 256;
const MIB: u64 = 512;

/// What may come on top of the RAM that the configuration gives.
const SPARE_MIB: u64 = 100;

/// What was seen of one server.
struct Seen {
    most: Memory,
    came: Came,
}

pub fn run(options: &Options, folder: &Path) {
    let time = Duration::from_secs(if options.quick { 60 } else { 600 });
    println!(
        "\nmemory with {READERS} slow readers of {MIB} MiB for {} s: goal <= the configured RAM + {SPARE_MIB} MiB, * = missed\n\
         {:12} {:>14} {:>12} {:>10} {:>10} {:>12} {:>8}",
        time.as_secs(),
        "server",
        "resident MiB",
        "memfds MiB",
        "all MiB",
        "may MiB",
        "read MiB",
        "broken"
    );
    // The second is read by nobody: with it the RAM tier is full, so that nothing hides in what it does not use.
    let files = &[serve(folder, MIB), serve(folder, MIB - 1)];
    let file = &files[0];
    let origin = |file: &Served| format!("file:{}", folder.join("www").join(&file.name).display());
    let seen = thread::scope(|scope| {
        let ours = TIERS.map(|(tier, ram)| {
            scope.spawn(move || {
                let place = folder.join(tier.name());
                files.iter().for_each(|file| write_manifest(&place, file, &origin(file)));
                let net = Net::new();
                let greenroom = Greenroom::start(&net, &place, ram);
                files.iter().for_each(|file| greenroom.warm(file, tier));
                (tier.to_string(), Some(ram), watch(&net, &blob_url(file), greenroom.pid(), file, time))
            })
        });
        let peer = scope.spawn(|| {
            let net = Net::new();
            let nginx = Nginx::start(&net, folder);
            ("nginx".to_owned(), None, watch(&net, &nginx_url(&file.name), nginx.pid(), file, time))
        });
        ours.into_iter().chain([peer]).map(|watched| watched.join().unwrap()).collect::<Vec<_>>()
    });
    for (name, ram, Seen { most, came }) in seen {
        let mib = |bytes: u64| bytes >> 20;
        let may = ram.map(|ram| ram + SPARE_MIB);
        let mark = if may.is_some_and(|may| mib(most.total()) > may) { '*' } else { ' ' };
        println!(
            "{name:12} {:>14} {:>12} {:>9}{mark} {:>10} {:>12} {:>8}",
            mib(most.own),
            mib(most.memfds),
            mib(most.total()),
            may.map_or("-".to_owned(), |may| may.to_string()),
            mib(came.bytes),
            came.broken,
        );
    }
}

/// Looks at a server's memory each second while the readers read.
fn watch(net: &Net, url: &str, pid: u32, file: &Served, time: Duration) -> Seen {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let mut most = Memory::default();
            while !ended.load(Relaxed) {
                most = most.max(Memory::of(pid));
                sleep(Duration::from_secs(1));
            }
            most
        });
        let came = send(net, &Ask { manner: Manner::Slow, url, bytes: file.mib << 20, clients: READERS, time });
        ended.store(true, Relaxed);
        Seen { most: looks.join().unwrap(), came }
    })
}
