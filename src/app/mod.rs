//! Floor 6: the daemon, put together. The only place that asks the clock and throws dice.
//!
//! Everything is bound and opened first; only then does anything run. A vital service that ends takes the process with it,
//! with its name; a helper is started again and shows in `/healthz`.

mod acts;
mod directory;
pub mod keeper;
mod library;
mod notify;
mod privileges;
mod sign_in;
pub mod stager;
mod state_dir;
mod trainer;

use std::{
    collections::BTreeMap,
    future::IntoFuture,
    io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::Router;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, Config},
    engine::{
        Engine,
        trainer::{self as training, Trainer},
    },
    images::{self, Images, Keeper, Keys, OriginSettings, S3Settings, nbp::NbpSet},
    journal::{Journal, JournalError},
    library::{Remote, SecretError, Shared, secret, secret_names},
    model::{
        Moment,
        site::{DhcpMode, Site},
    },
    serve::{
        self, Console, Context, Hook, HttpListener, Pacer, admin, api, console, dhcp, http,
        net::{self, NetError},
        serve_http, tftp, web,
        webhook::{Pace, Webhooks},
    },
    world::Ground,
};

/// How long transfers under way get to end when the daemon stops.
const GRACE: Duration = Duration::from_secs(5);

/// Why the daemon does not run (any more). Each message is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A port or an interface is not to be had.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The image cache.
    #[error(transparent)]
    Images(#[from] images::OpenError),
    /// The NBPs.
    #[error(transparent)]
    Nbp(#[from] images::nbp::NbpError),
    /// The state directory.
    #[error("the state directory {path} cannot be used: {error}; check `state_dir` and its permissions")]
    StateDir {
        /// Which.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The admin's door.
    #[error("the admin socket {path} cannot be used: {error}; check `admin_socket`, and that no other greenroom runs")]
    Socket {
        /// Which.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The API's certificate.
    #[error(transparent)]
    Tls(#[from] api::TlsError),
    /// The user that it shall run as.
    #[error("{0}")]
    User(String),
    /// A vital service ended.
    #[error("{name} ended: {why}")]
    Ended {
        /// Which service.
        name: &'static str,
        /// What it said last.
        why: String,
    },
}

/// The time, in milliseconds since 1970.
pub fn clock() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Random bits.
pub fn dice() -> u64 {
    getrandom::u64().expect("the kernel's random numbers are always to be had on Linux")
}

/// Takes as many open files as the system allows: each transfer is one, and the usual 1,024 are fewer than a rack needs.
fn raise_file_limit() {
    let raised =
        getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Runs the daemon until a signal or a failure ends it.
pub async fn run(config: Config) -> Result<(), AppError> {
    raise_file_limit();
    let bound = bind(&config).await?;
    let Bound { context, engine, interfaces, dhcp, tftp, consoles, http, api, door, rings } = bound;
    let stop = CancellationToken::new();
    let mut watchers = vec![];
    let mut services: JoinSet<(&'static str, io::Result<()>)> = JoinSet::new();
    for listener in dhcp {
        let context = context.clone();
        services.spawn(async move { ("DHCP", listener.serve(context).await) });
    }
    for listener in tftp {
        services.spawn(async move { ("TFTP", listener.serve().await) });
    }
    for listener in consoles {
        let context = context.clone();
        services.spawn(async move { ("syslog", listener.serve(context).await) });
    }
    let served = serve_http(http, context.clone(), stop.clone());
    services.spawn(async move { ("HTTP", served.await) });
    if let (Some(listener), Some(settings)) = (api, &config.api) {
        let rates = api::Rates { token: settings.token_rate, address: settings.address_rate };
        let door = sign_in::door(settings, &config, &context);
        watchers.push(tokio::spawn(door.clone().watch(context.clone())));
        let routes = api::router(context.clone(), rates).merge(web::router(context.clone(), door));
        let served = api::serve(listener, routes, stop.clone());
        services.spawn(async move { ("the API", served.await) });
    }
    let draining = 2 + usize::from(config.api.is_some());
    let directory = directory::open(&config, &context);
    let asked = serve::directory::routes(context.clone(), directory.clone());
    let url = config.api.as_ref().map(sign_in::url);
    let accounts = serve::account::routes(context.clone(), url);
    let admin: Router = admin::router(context.clone()).merge(asked).merge(accounts);
    let served = axum::serve(door, admin).with_graceful_shutdown(stop.clone().cancelled_owned()).into_future();
    services.spawn(async move { ("the admin's door", served.await) });
    watchers.extend([
        tokio::spawn(library::watch(context.clone(), config.library.clone())),
        tokio::spawn(net::watch(interfaces, context.clone())),
        tokio::spawn(keeper::keep(context.clone())),
        tokio::spawn(trainer::learn(context.clone())),
        tokio::spawn(acts::look(context.clone())),
        tokio::spawn(stager::stage(context.clone(), config.predict_horizon)),
    ]);
    if let Some((directory, settings)) = directory.zip(config.directory.as_ref()) {
        let every = Duration::from_secs(settings.every.0.into());
        watchers.push(tokio::spawn(directory::watch(context.clone(), directory, every)));
    }
    if let Some(remote) = &config.library_remote {
        let from = Remote { dir: config.library.clone(), url: remote.url.clone(), branch: remote.branch.clone() };
        let every = Duration::from_secs(remote.every.0.into());
        watchers.push(tokio::spawn(library::pull(context.clone(), from, every, rings)));
    }

    let told = tokio::spawn(context.webhooks.clone().run(context.clone(), stop.clone()));

    notify::ready();
    tracing::info!(
        mode = ?config.site.mode, http_port = config.site.http_port, personas = context.engine.ground().catalog.personas().count(),
        "greenroom is ready"
    );
    let result = supervise(&mut services, draining, engine, &context, &stop).await;
    watchers.iter().for_each(|watcher| watcher.abort());
    stop.cancel();
    // What is on its way to a receiver arrives, or is told again after the next start.
    drop(tokio::time::timeout(GRACE, told).await);
    drop(std::fs::remove_file(&config.admin_socket));
    result
}

/// Everything opened and bound, nothing running.
struct Bound {
    context: Context,
    engine: Engine,
    interfaces: Vec<net::Interface>,
    dhcp: Vec<dhcp::Listener>,
    tftp: Vec<tftp::Listener>,
    consoles: Vec<console::Listener>,
    http: HttpListener,
    api: Option<api::Listener>,
    door: tokio::net::UnixListener,
    /// What rings when a git host says that there is something to pull.
    rings: mpsc::Receiver<()>,
}

async fn bind(config: &Config) -> Result<Bound, AppError> {
    let nbps = NbpSet::load(config.nbp_dir.as_deref())?;
    let interfaces = net::chosen(&config.interfaces)?;
    if interfaces.is_empty() && (config.tftp || config.site.mode != DhcpMode::Off) {
        return Err(NetError::NoInterfaces.into());
    }
    let http = http::bind(config.site.http_port).await?;
    let api = match &config.api {
        Some(settings) => {
            let tls = settings.tls.clone().map(|(cert, key)| api::Tls::read(cert, key)).transpose()?;
            Some(api::bind(settings.listen, tls).await?)
        }
        None => None,
    };
    let dhcp = match config.site.mode {
        DhcpMode::Off => vec![],
        DhcpMode::Full | DhcpMode::Proxy => dhcp::bind(&interfaces)?,
    };
    let consoles = config.syslog.map_or(Ok(vec![]), |listen| console::bind(listen, &interfaces))?;
    let door = admin::bind(&config.admin_socket)
        .map_err(|error| AppError::Socket { path: config.admin_socket.display().to_string(), error })?;
    let state_error = |error| AppError::StateDir { path: config.state_dir.display().to_string(), error };
    let seed_key = state_dir::prepare(&config.state_dir).map_err(state_error)?;
    let (journal, world) = Journal::open(&config.state_dir.join("journal.redb"))?;
    let health: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let settings = images::Settings {
        dir: images::folder(&config.state_dir),
        ram: config.images_ram,
        disk: config.images_disk,
        aim: config.images_aim,
        origins: origins(config, &health),
    };
    let (images, warning) = Images::open(&settings)?;
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    let library = library::open(&config.library, &config.state_dir, &world);
    let mut site: Site = config.site.clone();
    site.boot.nbps = nbps.names();
    site.addresses = interfaces.iter().map(|interface| interface.address).collect();
    let secrets = Arc::new(secret_names(&config.secrets_dir));
    let ground = Ground {
        site: Arc::new(site),
        catalog: Arc::new(library.catalog().clone()),
        secrets,
        forecast: Arc::default(),
    };
    let facts = journal.reader();
    let webhooks = Webhooks::open(&config.webhooks, &config.state_dir, world.seq, Pace::default(), dice);
    let (handle, engine) = Engine::start(journal, world, ground, clock, dice);
    let (hook, rings) = hook(config, &health);
    let context = Context {
        engine: handle,
        trainer: Arc::new(Trainer::new(training::Settings {
            dir: config.state_dir.join("predict"),
            every: config.predict_every,
            clock,
        })),
        journal: facts,
        acts: Arc::default(),
        keeper: Arc::new(Keeper::new(images.clone(), config.keeper_rate)),
        images,
        outlook: Arc::default(),
        nbps: Arc::new(nbps),
        library: Arc::new(Shared::new(library)),
        secrets_dir: config.secrets_dir.as_path().into(),
        seed_key: Arc::new(seed_key),
        metrics: Arc::default(),
        pacer: Arc::new(Pacer::new(config.http_client_rate, config.http_total_rate)),
        clock,
        hook,
        webhooks: Arc::new(webhooks),
        callers: Arc::default(),
        passwords: Arc::default(),
        capture: Arc::default(),
        console: Arc::new(Console::new(config.syslog)),
        health,
    };
    let tftp = match config.tftp {
        true => tftp::bind(&interfaces, tftp::PORT, config.site.http_port, &context).await?,
        false => vec![],
    };
    if let Some(user) = &config.user {
        privileges::become_user(user, &[&config.state_dir, &config.admin_socket]).map_err(AppError::User)?;
    }
    Ok(Bound { context, engine, interfaces, dhcp, tftp, consoles, http, api, door, rings })
}

/// How origins are read. A key that is missing closes the S3 store, and shows in `/healthz`: the rest is served all the same.
fn origins(config: &Config, health: &Mutex<BTreeMap<String, String>>) -> OriginSettings {
    let keys = s3_keys(config).unwrap_or_else(|error| {
        tracing::error!("s3: origins cannot be read: {error}");
        let mut health = health.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        health.insert("s3 origins".into(), error.to_string());
        Keys::Missing(error.to_string())
    });
    let patience = Duration::from_secs(config.images_patience.0.into());
    OriginSettings { patience, s3: s3(config, keys), ..OriginSettings::new(dice) }
}

/// The S3 store of the configuration.
pub fn s3(config: &Config, keys: Keys) -> S3Settings {
    let config::S3 { endpoint, region, path_style, .. } = config.s3.clone();
    S3Settings { endpoint, region, path_style, keys }
}

/// Who asks for objects, as the configuration says.
pub fn s3_keys(config: &Config) -> Result<Keys, SecretError> {
    let read = |name: &String| secret(name, &config.secrets_dir);
    Ok(match (&config.s3.keys, config.s3.instance) {
        (Some((access, key)), _) => Keys::Given { access_key: read(access)?, secret_key: read(key)? },
        (None, true) => Keys::Instance,
        (None, false) => Keys::Environment,
    })
}

/// The door for git hosts. A secret that is missing closes it, and shows in `/healthz`: machines boot all the same.
fn hook(config: &Config, health: &Mutex<BTreeMap<String, String>>) -> (Option<Arc<Hook>>, mpsc::Receiver<()>) {
    let closed = || (None, mpsc::channel(1).1);
    let Some(name) = config.library_remote.as_ref().and_then(|remote| remote.webhook_secret.as_ref()) else {
        return closed();
    };
    match secret(name, &config.secrets_dir) {
        Ok(secret) => {
            let (hook, rings) = Hook::new(secret);
            (Some(Arc::new(hook)), rings)
        }
        Err(error) => {
            tracing::error!("the library's webhook is closed: {error}");
            let mut health = health.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            health.insert("library webhook".into(), error.to_string());
            closed()
        }
    }
}

/// Waits for the first thing that ends the daemon, and ends the rest.
async fn supervise(
    services: &mut JoinSet<(&'static str, io::Result<()>)>,
    draining: usize,
    mut engine: Engine,
    context: &Context,
    stop: &CancellationToken,
) -> Result<(), AppError> {
    let failed = |error| AppError::Ended { name: "signal handling", why: io::Error::to_string(&error) };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                let context = context.clone();
                tokio::task::spawn_blocking(move || {
                    context.refresh_library(true);
                    tracing::info!("the library was read again, as SIGHUP asks");
                });
            }
            stopped = engine.ended() => {
                stopped?;
                return Err(AppError::Ended { name: "the engine", why: "without a reason".into() });
            }
            Some(ended) = services.join_next() => return Err(ended_early(ended)),
        }
    }
    tracing::info!("stopping: transfers under way get {} seconds", GRACE.as_secs());
    notify::stopping();
    stop.cancel();
    let drained = tokio::time::timeout(GRACE, async {
        // DHCP and TFTP serve for ever: only HTTP, the API and the admin's door end by themselves.
        for _ in 0..draining {
            services.join_next().await;
        }
    });
    tokio::select! {
        _ = drained => {}
        // Asked twice: end at once.
        _ = interrupt.recv() => {}
    }
    services.abort_all();
    engine.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

fn ended_early(ended: Result<(&'static str, io::Result<()>), tokio::task::JoinError>) -> AppError {
    match ended {
        Ok((name, Ok(()))) => AppError::Ended { name, why: "without a reason".into() },
        Ok((name, Err(error))) => AppError::Ended { name, why: error.to_string() },
        Err(error) => AppError::Ended { name: "a service", why: error.to_string() },
    }
}

/// Starts logging: text for people, JSON for collectors. `RUST_LOG` overrules the configuration.
pub fn start_log(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .or_else(|_| tracing_subscriber::EnvFilter::try_new(&config.log_level))
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    match config.log_json {
        true => log.json().init(),
        false => log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).init(),
    }
}
