//! What must hold of a configuration beyond its shape.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use crate::{
    document::{Check, Document, Problem},
    model::{
        Bytes, Seconds,
        dhcp::VendorOptions,
        site::{BootPolicy, DhcpMode, Match, NbpRule, Pool, PredictPolicy, Quirk, Reservation, Rule, Site, Subnet},
    },
};

use super::{
    Api, Config, LibraryRemote, S3, directory,
    file::{self, File, LogFormat},
    sign_in,
};

const SHORTEST_LEASE: Seconds = Seconds(60);
const LONGEST_LEASE: Seconds = Seconds(366 * 86_400);
const SMALLEST_RAM: u64 = 16 << 20;
const SHORTEST_PATIENCE: Seconds = Seconds(10);
const LONGEST_PATIENCE: Seconds = Seconds(3600);
const LEAST_EVERY: Seconds = Seconds(60);
const LEAST_HORIZON: Seconds = Seconds(300);
const DAY: Seconds = Seconds(86_400);
const LOWEST_RATE: Bytes = Bytes(64 << 10);

/// The configuration, or everything that is wrong with it.
pub(super) fn config(file: File, document: &Document) -> Result<Config, Vec<Problem>> {
    let mut check = Rules(Check::new(document));
    let subnets = check.subnets(&file.dhcp);
    let predict = check.predict(&file.predict);
    let boot = check.boot(file.boot, predict);
    if let Some(directory) = &file.directory {
        directory::check(directory, &mut check.0);
    }
    let library_remote = file.library_remote.map(|remote| check.library_remote(remote));
    check.0.require(file.http.port != 0, "GR110", "http.port", "port 0 is no port", "80 is what firmware expects");
    let enough = file.images.ram.0 >= SMALLEST_RAM;
    check.0.require(enough, "GR111", "images.ram", "the RAM tier is too small to be of use", "give it 16MiB or more");
    let fits = (SHORTEST_PATIENCE..=LONGEST_PATIENCE).contains(&file.images.patience);
    let help = "1m is what devices bear; 10s to 1h can be";
    check.0.require(fits, "GR116", "images.patience", "this is no time to wait for an origin", help);
    let s3 = check.s3(file.images.s3.unwrap_or_default());
    let webhooks = super::webhook::webhooks(&mut check.0, file.webhooks);
    let api = file.api.map(|api| check.api(api));
    let syslog = file.syslog.map(|syslog| check.syslog(&syslog));
    check.rate("http.client_rate", file.http.client_rate);
    check.rate("http.total_rate", file.http.total_rate);
    let help = "it keeps out of the way of devices by itself: 32MiB in a second is a good rate";
    let moves = file.images.keeper_rate >= LOWEST_RATE;
    check.0.require(moves, "GR115", "images.keeper_rate", "a pinned image would take days to arrive", help);
    for (at, name) in file.dhcp.interfaces.iter().enumerate() {
        let plain = (1..=15).contains(&name.len()) && !name.contains(['/', ' ']);
        check.0.require(
            plain,
            "GR112",
            &format!("dhcp.interfaces.{at}"),
            "this cannot name an interface",
            "see `ip link`",
        );
    }
    for mirror in [&file.site.mirrors.debian, &file.site.mirrors.debian_security].into_iter().flatten() {
        let web =
            (mirror.starts_with("http://") || mirror.starts_with("https://")) && !mirror.contains(char::is_whitespace);
        check.0.require(web, "GR113", "site.mirrors", format!("`{mirror}` is no http(s) URL"), "");
    }
    if !check.0.problems.is_empty() {
        return Err(check.0.problems);
    }
    let folder = Path::new(&document.source().path).parent().unwrap_or(Path::new(""));
    let (nbp_dir, boot) = boot;
    Ok(Config {
        user: file.user,
        state_dir: folder.join(file.state_dir),
        library: folder.join(file.library),
        library_remote,
        directory: file.directory,
        secrets_dir: folder.join(file.secrets_dir),
        admin_socket: folder.join(file.admin_socket),
        log_level: file.log.level,
        log_json: file.log.format == LogFormat::Json,
        interfaces: file.dhcp.interfaces,
        tftp: file.tftp.enabled,
        http_client_rate: file.http.client_rate,
        http_total_rate: file.http.total_rate,
        api: api.map(|api| Api { tls: api.tls.map(|(cert, key)| (folder.join(cert), folder.join(key))), ..api }),
        syslog,
        nbp_dir: nbp_dir.map(|dir| folder.join(dir)),
        images_ram: file.images.ram,
        images_disk: file.images.disk,
        images_patience: file.images.patience,
        images_aim: file.images.aim,
        s3,
        keeper_rate: file.images.keeper_rate,
        predict_every: file.predict.every,
        predict_horizon: file.predict.horizon,
        webhooks,
        site: Site {
            mode: file.dhcp.mode,
            subnets,
            authoritative: file.dhcp.authoritative,
            http_port: file.http.port,
            addresses: BTreeSet::new(),
            boot,
            mirrors: file.site.mirrors,
        },
    })
}

/// The rules by what they are about.
struct Rules<'a>(Check<'a>);

impl Rules<'_> {
    fn subnets(&mut self, dhcp: &file::Dhcp) -> Vec<Subnet> {
        let given = !dhcp.subnets.is_empty();
        match dhcp.mode {
            DhcpMode::Full => {
                let help = "add `subnets: [{subnet: 10.0.0.0/24, pools: 10.0.0.100-10.0.0.199}]`, or use `mode: proxy`";
                self.0.require(given, "GR101", "dhcp", "full mode gives addresses, and no subnet says which", help);
            }
            DhcpMode::Proxy | DhcpMode::Off => {
                let help = "remove the subnets, or say `mode: full`";
                self.0.require(!given, "GR102", "dhcp.subnets", "only full mode gives addresses", help);
            }
        }
        let subnets: Vec<Subnet> = dhcp.subnets.iter().enumerate().map(|(at, file)| self.subnet(at, file)).collect();
        for (at, subnet) in subnets.iter().enumerate() {
            let overlap = subnets[..at]
                .iter()
                .find(|other| other.net.contains(&subnet.net.network()) || subnet.net.contains(&other.net.network()));
            if let Some(other) = overlap {
                let message = format!("{} and {} overlap", subnet.net, other.net);
                let path = format!("dhcp.subnets.{at}.subnet");
                self.0.require(false, "GR103", &path, message, "an address belongs to one subnet");
            }
        }
        subnets
    }

    fn subnet(&mut self, at: usize, file: &file::Subnet) -> Subnet {
        let path = |field: &str| format!("dhcp.subnets.{at}.{field}");
        let net = file.subnet.trunc();
        let usable = |ip: &Ipv4Addr| net.contains(ip) && *ip != net.network() && *ip != net.broadcast();
        let mut pools: Vec<Pool> = vec![];
        for (n, text) in file.pools.iter().enumerate() {
            let at = path(&format!("pools.{n}"));
            let Some(pool) = pool(text) else {
                let help = "write the first and the last address: 10.0.0.100-10.0.0.199";
                self.0.require(false, "GR104", &at, format!("`{text}` is no pool"), help);
                continue;
            };
            let inside = usable(&pool.first) && usable(&pool.last);
            self.0.require(
                inside,
                "GR105",
                &at,
                format!("`{text}` is not within {net}"),
                "leave out its first and last address",
            );
            let apart = pools.iter().all(|other| pool.last < other.first || other.last < pool.first);
            self.0.require(
                apart,
                "GR106",
                &at,
                format!("`{text}` overlaps another pool"),
                "an address belongs to one pool",
            );
            pools.push(pool);
        }
        pools.sort_by_key(|pool| pool.first);
        if let Some(router) = &file.router {
            let help = "a router is an address of the subnet";
            self.0.require(usable(router), "GR107", &path("router"), format!("{router} is not within {net}"), help);
        }
        let fits = (SHORTEST_LEASE..=LONGEST_LEASE).contains(&file.lease);
        self.0.require(
            fits,
            "GR108",
            &path("lease"),
            format!("a lease of {} is no use", file.lease),
            "write 12h or 7d",
        );
        let mut reservations = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for (n, reservation) in file.reservations.iter().enumerate() {
            let at = path(&format!("reservations.{n}"));
            let inside = usable(&reservation.ip);
            self.0.require(inside, "GR109", &at, format!("{} is not within {net}", reservation.ip), "");
            let first = kept.insert(reservation.ip) && !reservations.contains_key(&reservation.mac);
            self.0.require(first, "GR114", &at, "this port or address is reserved twice", "one address a port");
            let kept = Reservation { ip: reservation.ip, hostname: reservation.hostname.clone() };
            reservations.insert(reservation.mac, kept);
        }
        Subnet {
            net,
            pools,
            router: file.router,
            dns: file.dns.clone(),
            domain: file.domain.clone(),
            ntp: file.ntp.clone(),
            mtu: file.mtu,
            lease: file.lease,
            reservations,
        }
    }

    fn s3(&mut self, s3: file::S3) -> S3 {
        let file::S3 { endpoint, region, access_key, secret_key, instance, path_style } = s3;
        let web = |url: &String| {
            url.split_once("://").is_some_and(|(scheme, host)| {
                ["http", "https"].contains(&scheme) && !host.is_empty() && !host.contains(['@', '?', ' '])
            })
        };
        let fits = endpoint.as_ref().is_none_or(web);
        let help = "https://minio.example:9000; the key is named by `access_key` and `secret_key`";
        self.0.require(fits, "GR140", "images.s3.endpoint", "this is no http(s) URL of a store", help);
        let name = |name: &String| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', ' ']);
        for (field, secret) in [("access_key", &access_key), ("secret_key", &secret_key)] {
            let fits = secret.as_ref().is_none_or(name);
            let path = format!("images.s3.{field}");
            self.0.require(fits, "GR141", &path, "this cannot name a secret", "the name of a file in `secrets_dir`");
        }
        let paired = access_key.is_some() == secret_key.is_some() && !(instance && access_key.is_some());
        let help = "name both `access_key` and `secret_key`, or say `instance: true`, or neither for public buckets";
        self.0.require(paired, "GR142", "images.s3", "this names half a key, or two", help);
        // Stores of one's own have no host name for each bucket.
        let path_style = path_style.unwrap_or(endpoint.is_some());
        S3 { endpoint, region, path_style, keys: access_key.zip(secret_key), instance }
    }

    fn api(&mut self, api: file::Api) -> Api {
        let file::Api { listen, cert, key, insecure, token_rate, address_rate, url, session, oidc } = api;
        let paired = cert.is_some() == key.is_some();
        let help = "name both `cert` and `key`, PEM files, or neither";
        self.0.require(paired, "GR181", "api", "a certificate is of no use without its key", help);
        let private = listen.ip().to_canonical().is_loopback() || cert.is_some() || insecure;
        let help = "give `cert` and `key`; or listen on 127.0.0.1 and have a web server speak TLS before it; or say \
                    `insecure: true` on a network that only you are on";
        let message = format!("tokens would travel to {listen} for everybody to read");
        self.0.require(private, "GR180", "api.listen", message, help);
        self.0.require(listen.port() != 0, "GR182", "api.listen", "port 0 is no port", "127.0.0.1:8008");
        for (field, rate) in [("api.token_rate", token_rate), ("api.address_rate", address_rate)] {
            let fits = (1..=1_000_000).contains(&rate);
            let help = "requests a second; four seconds' worth may come at once";
            self.0.require(fits, "GR183", field, "this is no rate: 1 to 1000000", help);
        }
        if let Some(url) = &url {
            sign_in::check_url(url, &mut self.0);
        }
        sign_in::check_session(&session, &mut self.0);
        if let Some(oidc) = &oidc {
            sign_in::check_oidc(oidc, url.as_ref(), &mut self.0);
        }
        Api { listen, tls: cert.zip(key), token_rate, address_rate, url, session, oidc }
    }

    fn syslog(&mut self, syslog: &file::Syslog) -> SocketAddr {
        let help = "0.0.0.0:514; iPXE sends to port 514 only";
        self.0.require(syslog.listen.port() != 0, "GR200", "syslog.listen", "port 0 is no port", help);
        syslog.listen
    }

    /// Everything in it becomes an argument of git, or the name of a file.
    fn library_remote(&mut self, remote: file::LibraryRemote) -> LibraryRemote {
        let file::LibraryRemote { url, branch, every, webhook_secret } = remote;
        let word = |text: &str| {
            !text.is_empty() && !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        let has_scheme =
            |url: &str| ["https", "http", "ssh", "git", "file"].contains(&url.split("://").next().unwrap_or(""));
        // `ext::` and its like run programs.
        let repository = |url: &String| word(url) && !url.contains("::") && (!url.contains("://") || has_scheme(url));
        let help = "https://git.example/boot/personas.git, git@git.example:boot/personas.git, or a path";
        let fits = url.as_ref().is_none_or(repository);
        self.0.require(fits, "GR130", "library_remote.url", "this names no repository that can be pulled", help);
        let fits =
            branch.as_ref().is_none_or(|branch| word(branch) && !branch.contains(['~', '^', ':', '?', '*', '[']));
        self.0.require(fits, "GR131", "library_remote.branch", "this cannot name a branch", "main");
        let help = "the webhook tells of pushes at once: 5m is often enough";
        self.0.require(
            every.0 >= 10,
            "GR132",
            "library_remote.every",
            "no git host likes to be asked that often",
            help,
        );
        let fits =
            webhook_secret.as_ref().is_none_or(|name| word(name) && !name.starts_with('.') && !name.contains('/'));
        let message = "this cannot name a secret";
        self.0.require(fits, "GR133", "library_remote.webhook_secret", message, "the name of a file in `secrets_dir`");
        LibraryRemote { url, branch, every, webhook_secret }
    }

    fn predict(&mut self, predict: &file::Predict) -> PredictPolicy {
        let file::Predict { choose, cost_of_wrong, propose, arm, every, horizon } = *predict;
        let help =
            "how many times more a wrong persona costs than a right one gains: 4 lets predictions act from 0.8 on";
        let fits = (1..=1000).contains(&cost_of_wrong);
        self.0.require(fits, "GR150", "predict.cost_of_wrong", "this is no cost: 1 to 1000", help);
        let policy = PredictPolicy { choose, cost_of_wrong, propose, arm };
        let message = format!("nothing would be proposed: from {} on, predictions act", policy.act());
        let help = "propose from a lower probability on: 0.5";
        self.0.require(!choose || propose <= policy.act(), "GR151", "predict.propose", message, help);
        let fits = (LEAST_EVERY..=DAY).contains(&every);
        self.0.require(fits, "GR152", "predict.every", "this is no time between lessons: 1m to 1d", "15m");
        let fits = (LEAST_HORIZON..=DAY).contains(&horizon);
        let help = "the images of devices that are likely to boot within it are staged: 1h";
        self.0.require(fits, "GR153", "predict.horizon", "this is no time to look ahead: 5m to 1d", help);
        policy
    }

    fn boot(&mut self, boot: file::Boot, predict: PredictPolicy) -> (Option<PathBuf>, BootPolicy) {
        let mut names = BTreeSet::new();
        let mut rules = vec![];
        for (at, rule) in boot.rules.into_iter().enumerate() {
            let path = |field: &str| format!("boot.rules.{at}.{field}");
            let first = names.insert(rule.name.clone());
            let message = format!("there are two rules called `{}`", rule.name);
            self.0.require(first, "GR120", &path("name"), message, "reasons name rules: give each its own name");
            let when = self.when(rule.when, &path("match"));
            rules.push(Rule { name: rule.name, when, persona: rule.persona, armed: rule.armed });
        }
        let mut uefi_nbp = vec![];
        for (at, rule) in boot.uefi_nbp.into_iter().enumerate() {
            let path = |field: &str| format!("boot.uefi_nbp.{at}.{field}");
            let known = ["snponly.efi", "ipxe.efi"].contains(&rule.nbp.as_str());
            let message = format!("`{}` is no UEFI NBP that Greenroom knows", rule.nbp);
            self.0.require(known, "GR121", &path("nbp"), message, "snponly.efi or ipxe.efi");
            let when = self.before_an_address(rule.when, &path("match"));
            uefi_nbp.push(NbpRule { when, nbp: rule.nbp });
        }
        let mut quirks = vec![];
        for (at, quirk) in boot.quirks.into_iter().enumerate() {
            let path = |field: &str| format!("boot.quirks.{at}{field}");
            let says =
                quirk.option_43.is_some() || quirk.option_67.is_some() || quirk.disk.is_some() || quirk.rate.is_some();
            let help = "give `option_43` (none, use-bootfile), `option_67` (true, false), `disk` (exit, sanboot) or \
                        `rate` (20MiB)";
            self.0.require(says, "GR125", &path(""), "this quirk changes nothing", help);
            let when = self.before_an_address(quirk.when, &path(".match"));
            let option_43 = quirk.option_43.map(VendorOptions::from);
            self.rate(&path(".rate"), quirk.rate);
            quirks.push(Quirk { when, option_43, option_67: quirk.option_67, disk: quirk.disk, rate: quirk.rate });
        }
        let policy = BootPolicy {
            rules,
            quirks,
            default: boot.default,
            nbps: BTreeSet::new(),
            uefi_nbp,
            chain_window: boot.chain_window,
            stuck_after: boot.stuck_after,
            installs_per_hour: boot.installs_per_hour,
            predict,
        };
        let patient = boot.stuck_after.0 >= 30;
        let help = "firmware alone is silent for half a minute";
        self.0.require(patient, "GR122", "boot.stuck_after", "nothing boots that fast", help);
        (boot.nbp_dir, policy)
    }

    /// A rate in bytes a second.
    fn rate(&mut self, path: &str, rate: Option<Bytes>) {
        let enough = rate.is_none_or(|rate| rate >= LOWEST_RATE);
        let help = "these are bytes a second: 64KiB or more; without it there is no limit";
        self.0.require(enough, "GR115", path, "nothing boots at this rate", help);
    }

    /// The same for what is asked when the device has no address yet.
    fn before_an_address(&mut self, when: file::When, path: &str) -> Match {
        let when = self.when(when, path);
        let help =
            "name the devices by `mac`, `oui`, `arch`, `relay`, `circuit`, `attributes` or what they reported before";
        let path = format!("{path}.subnet");
        self.0.require(when.subnet.is_empty(), "GR124", &path, "firmware has no address yet when this is asked", help);
        when
    }

    /// A rule without a field would mean every device or none: it is asked to say which.
    fn when(&mut self, when: file::When, path: &str) -> Match {
        let when = Match::from(when);
        let help = "give `mac`, `oui`, `arch`, `subnet`, `manufacturer`, `product`, `serial`, `asset`, `attributes`, \
                    `circuit`, `remote` or `relay`; for every device use `boot.default`";
        self.0.require(when != Match::default(), "GR123", path, "this matches nothing", help);
        for (name, patterns) in &when.attributes {
            let path = format!("{path}.attributes.{name}");
            let fits = !patterns.is_empty() && patterns.iter().all(|pattern| !pattern.trim().is_empty());
            let help = "an attribute says something: give a value, or `*` for any";
            self.0.require(fits, "GR126", &path, "no device has an empty attribute", help);
        }
        when
    }
}

/// `10.0.0.100-10.0.0.199`, or a single address.
fn pool(text: &str) -> Option<Pool> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some(Pool { first, last })
}
