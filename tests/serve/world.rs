//! A daemon's services with everything below them, in a folder of their own.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, SystemTime},
};

use greenroom::{
    engine::{
        Engine,
        trainer::{Settings as Training, Trainer},
    },
    images::{Images, Keeper, OriginSettings, Settings, nbp::NbpSet},
    journal::Journal,
    library::{Library, Shared},
    model::{
        Arch, BootId, Bytes, Fact, Firmware, MacAddr, Moment, Record, Seconds,
        dhcp::{AskKind, BootClient, BootFlavour, DhcpAsk, DhcpPort, Ingress},
        reply::Reply,
        request::Request,
        site::{BootPolicy, DhcpMode, Mirrors, Pool, Quirk, Site, Subnet},
        timeline::{Boot, Step},
    },
    serve::{Context, Pacer, admin, http, net::Interface, seed::SeedKey, serve_http, tftp},
    stage::Aim,
    world::Ground,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::{process::Command, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How long anything may take before the test gives up on it.
const LIMIT: Duration = Duration::from_secs(60);

pub struct House {
    pub dir: TempDir,
    pub context: Context,
    pub http: SocketAddr,
    pub tftp: SocketAddr,
    /// The bytes of the image's root file system and its digest.
    pub rootfs: (Vec<u8>, String),
    /// Stops the boot port.
    pub stop: CancellationToken,
    /// The boot port, until it has stopped.
    pub serving: JoinHandle<std::io::Result<()>>,
    _engine: Engine,
}

/// Bytes without a pattern that a mistake would repeat.
pub fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(next).collect()
}

fn clock() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Moment::from_millis(since.as_millis() as u64)
}

fn site() -> Site {
    let subnet = Subnet {
        net: "127.0.0.0/8".parse().unwrap(),
        pools: vec![Pool { first: [127, 9, 0, 1].into(), last: [127, 9, 3, 254].into() }],
        router: None,
        dns: vec![],
        domain: None,
        ntp: vec![],
        mtu: None,
        lease: Seconds(3600),
        reservations: BTreeMap::new(),
    };
    let boot = BootPolicy {
        rules: vec![],
        default: Some("lab".parse().unwrap()),
        nbps: ["undionly.kpxe", "snponly.efi"].map(str::to_owned).into(),
        uefi_nbp: vec![],
        quirks: vec![],
        chain_window: Seconds(60),
        stuck_after: Seconds(900),
        installs_per_hour: 2,
        predict: Default::default(),
    };
    let mirrors = Mirrors::default();
    Site {
        mode: DhcpMode::Full,
        subnets: vec![subnet],
        authoritative: true,
        http_port: 80,
        addresses: Default::default(),
        boot,
        mirrors,
    }
}

/// What passes for an EFI program for x64: noise under the header of a PE image.
pub fn efi(len: usize, seed: u32) -> Vec<u8> {
    let mut bytes = noise(len, seed);
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c..0x46].copy_from_slice(b"\x40\0\0\0PE\0\0\x64\x86");
    bytes
}

/// A port that the kernel gives nobody by itself (it begins at 32768): what another test's client still sends to a port that it
/// had a moment ago would be counted here, as no request.
fn quiet_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 100) as u16 * 200;
    first + TAKEN.fetch_add(1, Ordering::Relaxed) % 200
}

impl House {
    pub async fn new() -> Self {
        Self::with_rates(None, None, vec![]).await
    }

    /// A house whose boot port has rates: of each client, of all, and of models.
    pub async fn with_rates(client: Option<Bytes>, total: Option<Bytes>, quirks: Vec<Quirk>) -> Self {
        Self::build(client, total, quirks, vec![]).await
    }

    /// The same, where this has happened before it was opened.
    pub async fn build(
        client: Option<Bytes>,
        total: Option<Bytes>,
        quirks: Vec<Quirk>,
        past: Vec<(Moment, Fact)>,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rootfs = write_library(dir.path());
        let nbps = dir.path().join("nbps");
        fs::create_dir(&nbps).unwrap();
        // One file ends in a short block of 512 bytes and of 1468, the other in none of 512.
        fs::write(nbps.join("undionly.kpxe"), noise(74_213, 1)).unwrap();
        fs::write(nbps.join("snponly.efi"), efi(512 * 300, 2)).unwrap();
        fs::write(nbps.join("ipxe.efi"), efi(530_000, 6)).unwrap();
        let (mut journal, mut world) = Journal::open(&dir.path().join("journal.redb")).unwrap();
        let past: Vec<Record> = (1..).zip(past).map(|(seq, (at, fact))| Record { seq, at, fact }).collect();
        past.iter().for_each(|record| world.apply(record));
        journal.append(&past, true).unwrap();
        let library = Library::open(&dir.path().join("library"));
        assert!(library.problems().is_empty(), "{}", library.problems()[0]);
        let mut site = site();
        site.boot.quirks = quirks;
        let ground = Ground {
            site: Arc::new(site),
            catalog: Arc::new(library.catalog().clone()),
            secrets: Arc::default(),
            forecast: Arc::default(),
        };
        let mut nonce = 0;
        let dice = move || {
            nonce += 0x1_0000_0001;
            nonce
        };
        let facts = journal.reader();
        let (handle, engine) = Engine::start(journal, world, ground, clock, dice);
        let origins = OriginSettings { patience: Duration::from_secs(6), ..OriginSettings::new(|| 4) };
        let settings = Settings {
            dir: dir.path().join("images"),
            ram: Bytes(64 << 20),
            disk: Bytes(1 << 30),
            aim: Aim::Hits,
            origins,
        };
        let images = Images::open(&settings).unwrap().0;
        let context = Context {
            engine: handle,
            trainer: Arc::new(Trainer::new(Training { dir: dir.path().join("predict"), every: Seconds(900), clock })),
            journal: facts,
            acts: Arc::default(),
            keeper: Arc::new(Keeper::new(images.clone(), Bytes(1 << 30))),
            images,
            outlook: Arc::default(),
            nbps: Arc::new(NbpSet::load(Some(&nbps)).unwrap()),
            library: Arc::new(Shared::new(library)),
            secrets_dir: dir.path().join("secrets").as_path().into(),
            seed_key: Arc::new(SeedKey::new([7; 32])),
            metrics: Arc::default(),
            pacer: Arc::new(Pacer::new(client, total)),
            clock,
            hook: None,
            webhooks: Arc::default(),
            callers: Arc::default(),
            passwords: Arc::default(),
            capture: Arc::default(),
            console: Arc::default(),
            health: Arc::default(),
        };
        let pages = http::bind(0).await.unwrap();
        let http_port = pages.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve_http(pages, context.clone(), stop.clone()));
        let door = admin::bind(&dir.path().join("admin.sock")).unwrap();
        let routes = admin::router(context.clone());
        tokio::spawn(async move { axum::serve(door, routes).await });
        let loopback = [Interface { name: "lo".into(), index: 1, address: Ipv4Addr::LOCALHOST }];
        let files = loop {
            match tftp::bind(&loopback, quiet_port(), http_port, &context).await {
                Ok(mut bound) => break bound.remove(0),
                Err(error) => assert!(error.to_string().contains("in use"), "{error}"),
            }
        };
        let tftp = files.address().unwrap();
        tokio::spawn(files.serve());
        Self { dir, context, http: ([127, 0, 0, 1], http_port).into(), tftp, rootfs, stop, serving, _engine: engine }
    }

    /// A device with this last octet asks for an address as UEFI firmware does; its attempt begins.
    pub async fn begin(&self, last: u8) -> BootId {
        self.begin_as(MacAddr::new([0x52, 0x54, 0, 0x77, 0, last]).unwrap()).await
    }

    /// The same for the device with this port.
    pub async fn begin_as(&self, mac: MacAddr) -> BootId {
        let client = BootClient {
            firmware: Firmware::EfiPxe,
            arch: Some(Arch::X64),
            arch_codes: vec![7],
            flavour: BootFlavour::Pxe,
            uuid_raw: None,
            uuid: None,
            boot_item: None,
        };
        let ask = DhcpAsk { xid: 1, broadcast: true, boot: Some(client), ..DhcpAsk::new(AskKind::Discover, mac) };
        let ingress = Ingress {
            interface: "lo".into(),
            local: Ipv4Addr::LOCALHOST,
            peer: "0.0.0.0:68".parse().unwrap(),
            port: DhcpPort::Server,
        };
        let reply = self.context.engine.ask(Request::Dhcp { ask, ingress }).await.unwrap();
        let Reply::Dhcp { answer, .. } = reply else { panic!("no offer: {reply:?}") };
        let bootfile = answer.boot.and_then(|boot| boot.bootfile).unwrap();
        bootfile.split('/').next().unwrap().parse().unwrap()
    }

    /// Adds an image to the library, of one file that comes from this URL; its digest.
    pub fn add_image(&self, name: &str, bytes: &[u8], url: &str) -> String {
        let digest = hex(bytes);
        let manifest =
            format!("name: {name}\narch: x64\nfiles: {{kernel: {{sha256: {digest}, origins: ['{url}']}}}}\n");
        fs::write(self.dir.path().join(format!("library/images/{name}.yaml")), manifest).unwrap();
        self.context.refresh_library(true);
        assert!(self.context.problems().is_empty(), "{}", self.context.problems()[0]);
        digest
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// `curl -sS` with these arguments; what it wrote to its standard output.
    pub async fn curl(&self, arguments: &[&str]) -> String {
        let output = self.run("curl", &[&["-sS"], arguments].concat()).await;
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A client, in the house's folder.
    pub async fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.dir.path()).kill_on_drop(true);
        let output = tokio::time::timeout(LIMIT, command.output()).await;
        output.unwrap_or_else(|_| panic!("{program} {arguments:?} does not end")).unwrap()
    }

    /// A file that a client left in the folder.
    pub fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir.path().join(name)).unwrap_or_default()
    }

    pub fn boot(&self, id: BootId) -> Boot {
        self.context.engine.world().boots.get(&id).unwrap().clone()
    }

    /// Waits until the attempt has taken a step that `wanted` picks.
    pub async fn wait_for<T>(&self, id: BootId, wanted: impl Fn(&Step) -> Option<T>) -> T {
        let look = async {
            loop {
                if let Some(found) = self.boot(id).steps.iter().find_map(|moved| wanted(&moved.step)) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let found = tokio::time::timeout(LIMIT, look).await;
        found.unwrap_or_else(|_| panic!("the step was not taken: {:?}", self.boot(id).steps))
    }

    /// The attempt's script, as iPXE gets it.
    pub async fn script(&self, boot: BootId) -> String {
        self.curl(&["-f", &self.url(&format!("/boot/{boot}/script.ipxe?product=Bench&uuid="))]).await
    }

    /// The value of a metric's line.
    pub async fn metric(&self, line: &str) -> Option<u64> {
        let text = self.curl(&["-f", &self.url("/metrics")]).await;
        text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
    }
}

pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One persona and one image of three files; the root file system's bytes and digest.
fn write_library(dir: &Path) -> (Vec<u8>, String) {
    let library = dir.join("library");
    fs::create_dir_all(library.join("images")).unwrap();
    let mut manifest = "name: tiny\narch: x64\nargs: ['post={{report_url}}', 'seed={{seed_url}}']\nfiles:\n".to_owned();
    let mut last = (vec![], String::new());
    for (role, length, seed) in [("kernel", 300_000, 3), ("initrd", 1000, 4), ("rootfs", 3_000_001, 5)] {
        let bytes = noise(length, seed);
        let digest = hex(&bytes);
        let path = dir.join(role);
        fs::write(&path, &bytes).unwrap();
        manifest += &format!("  {role}: {{sha256: {digest}, origins: ['file:{}']}}\n", path.display());
        last = (bytes, digest);
    }
    fs::write(library.join("images/tiny.yaml"), manifest).unwrap();
    let persona = "apiVersion: greenroom/v1\ndescription: of the test\neffect: ephemeral\nos: {image: tiny}\n\
                   security: {users: [{name: labadmin, password_hash: $6$salt$hash}]}\n";
    fs::write(library.join("lab.yaml"), persona).unwrap();
    last
}
