//! The two servers that are measured: ours, as it runs in earnest, and nginx, set up to send files by the kernel.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use greenroom::model::{Digest, image::Tier};
use serde_json::Value;

use super::{
    binary,
    lab::{Running, inside},
    net::{Net, SERVER},
};

/// How long a server may take to start, or to pull an image.
const LIMIT: Duration = Duration::from_secs(120);

const NGINX_PORT: u16 = 8080;

/// A file that both servers have.
pub struct Served {
    pub name: String,
    pub mib: u64,
    pub digest: Digest,
}

/// A running `greenroom serve`.
pub struct Greenroom {
    running: Running,
    socket: PathBuf,
}

impl Greenroom {
    /// Starts it in a namespace, in `folder`, where its library is, with a RAM tier of so many MiB.
    pub fn start(net: &Net, folder: &Path, ram_mib: u64) -> Self {
        let place = |name: &str| folder.join(name);
        let state = place(&format!("state-{ram_mib}"));
        let (config, socket, log) = (place("greenroom.yaml"), place("admin.sock"), place("greenroom.log"));
        let text = format!(
            "state_dir: {}\nlibrary: {}\nadmin_socket: {}\n\
             dhcp: {{mode: proxy, interfaces: [eth0]}}\nimages: {{ram: {ram_mib}MiB, disk: 16GiB}}\n",
            state.display(),
            place("library").display(),
            socket.display(),
        );
        fs::write(&config, text).unwrap();
        let mut command = inside(&net.server(), &binary().display().to_string());
        command.args(["serve", "--config"]).arg(&config);
        command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        let mut daemon = Self { running: Running(command.spawn().unwrap()), socket };
        let ready = wait_for(|| {
            let ended = !matches!(daemon.running.0.try_wait(), Ok(None));
            (ended || daemon.ask(&["image", "list"]).is_ok()).then_some(!ended)
        });
        assert_eq!(ready, Some(true), "the daemon did not start:\n{}", fs::read_to_string(&log).unwrap_or_default());
        daemon
    }

    /// Has it pull a file, and sees to it that the file is in that tier then.
    pub fn warm(&self, served: &Served, tier: Tier) {
        self.ask(&["image", "warm", &served.name]).unwrap();
        let found = wait_for(|| (self.tier(&served.name)? == tier.name()).then_some(()));
        assert!(found.is_some(), "{} is in {:?}, not in {tier}", served.name, self.tier(&served.name));
    }

    fn tier(&self, image: &str) -> Option<String> {
        let images: Value = serde_json::from_str(&self.ask(&["--json", "image", "list"]).ok()?).ok()?;
        let image = images.as_array()?.iter().find(|view| view["name"] == image)?;
        image["status"][0][1]["tier"].as_str().map(str::to_owned)
    }

    fn ask(&self, words: &[&str]) -> Result<String, String> {
        let mut command = Command::new(binary());
        command.arg("--socket").arg(&self.socket).args(words).env_remove("GREENROOM_CONFIG");
        said(command)
    }

    pub fn pid(&self) -> u32 {
        self.running.0.id()
    }
}

/// The root URL of ours.
pub fn our_url(path: &str) -> String {
    format!("http://{SERVER}{path}")
}

pub fn blob_url(served: &Served) -> String {
    our_url(&format!("/blob/{}", served.digest))
}

/// A running nginx: a parent, and what serves.
pub struct Nginx {
    running: Running,
}

impl Nginx {
    /// Starts it in a namespace; it serves the folder `www` of `folder`.
    ///
    /// In a PID namespace of its own: when its parent there dies, by whatever hand, its workers die too.
    pub fn start(net: &Net, folder: &Path) -> Self {
        let config = folder.join("nginx.conf");
        let text = format!(
            "daemon off;\nuser root;\nworker_processes 2;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n  default_type application/octet-stream;\n  \
             keepalive_timeout 60s;\n  keepalive_requests 100000000;\n  client_body_temp_path {folder}/nginx-body;\n  \
             server {{ listen {NGINX_PORT}; root {folder}/www; }}\n}}\n",
            folder = folder.display(),
        );
        fs::write(&config, text).unwrap();
        let mut command = inside(&net.server(), "unshare");
        command.args(["--pid", "--fork", "--kill-child=KILL", "nginx", "-e"]).arg(folder.join("nginx.log"));
        command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        let nginx = Self { running: Running(command.spawn().unwrap()) };
        let ready = wait_for(|| said(curl(&net.server(), &nginx_url(""))).ok());
        let log = || fs::read_to_string(folder.join("nginx.log")).unwrap_or_default();
        assert!(ready.is_some(), "nginx did not start:\n{}", log());
        nginx
    }

    pub fn pid(&self) -> u32 {
        self.running.0.id()
    }
}

pub fn nginx_url(name: &str) -> String {
    format!("http://{SERVER}:{NGINX_PORT}/{name}")
}

/// Writes the manifest of an image that has this one file.
pub fn write_manifest(folder: &Path, served: &Served, origin: &str) {
    let images = folder.join("library/images");
    fs::create_dir_all(&images).unwrap();
    let (Served { name, digest, .. }, size) = (served, served.mib << 20);
    let text = format!(
        "name: {name}\narch: x64\nargs: []\n\
         files: {{kernel: {{sha256: {digest}, size: {size}, origins: ['{origin}']}}}}\n"
    );
    fs::write(images.join(format!("{name}.yaml")), text).unwrap();
}

/// Fetches a file with clients that others wrote, and hashes what came.
pub fn check(net: &Net, url: &str, served: &Served) {
    let mut command = inside(&net.clients(), "sh");
    command.args(["-c", "curl -sSf \"$0\" | sha256sum", url]);
    let hash = said(command).unwrap();
    assert_eq!(hash.split(' ').next(), Some(served.digest.to_string().as_str()), "{url} gave other bytes");
}

/// `curl` inside a namespace, which prints what came.
pub fn curl(namespace: &str, url: &str) -> Command {
    let mut command = inside(namespace, "curl");
    command.args(["-sS", url]);
    command
}

/// What a command printed; or what it complained of.
pub fn said(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        let found = look();
        if found.is_some() || began.elapsed() > LIMIT {
            return found;
        }
        sleep(Duration::from_millis(100));
    }
}
