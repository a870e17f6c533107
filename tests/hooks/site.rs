//! A house whose events are sent, and what may be done in it.

use std::{fs, sync::Arc, time::Duration};

use greenroom::{
    engine::Handle,
    model::{
        Backoff, MacAddr, Millis,
        command::{Command, Order},
        reply::Reply,
        request::Request,
    },
    serve::{
        Context,
        webhook::{Pace, Webhook, WebhookView, Webhooks},
    },
    usage::event::EventKind,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::House;

/// 32 bytes that are no secret, and 24 other ones.
pub const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub const OLD_SECRET: &str = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3";

/// As patient as a test can be; nothing is given up for its age.
pub fn quick() -> Pace {
    Pace {
        answer: Duration::from_secs(1),
        between: Backoff { first: Millis(4), longest: Millis(40) },
        down: Backoff { first: Millis(2), longest: Millis(20) },
        ..Pace::default()
    }
}

pub fn webhook(url: &str) -> Webhook {
    Webhook { name: "desk".into(), url: url.into(), secret: "desk-key".into(), events: EventKind::ALL.into() }
}

/// The sender, while it runs.
pub struct Sender {
    pub webhooks: Arc<Webhooks>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Sender {
    /// Begins to send what happens in the house, or goes on.
    pub fn start(house: &House, webhook: Webhook, pace: Pace) -> Self {
        let secrets = house.dir.path().join("secrets");
        fs::create_dir_all(&secrets).unwrap();
        if !secrets.join("desk-key").exists() {
            fs::write(secrets.join("desk-key"), format!("{SECRET}\n{OLD_SECRET}\n")).unwrap();
        }
        let newest = *house.context.engine.kept().borrow();
        let dice = || getrandom::u64().unwrap();
        let webhooks = Arc::new(Webhooks::open(&[webhook], house.dir.path(), newest, pace, dice));
        let context = Context { webhooks: webhooks.clone(), ..house.context.clone() };
        let stop = CancellationToken::new();
        let running = tokio::spawn(webhooks.clone().run(context, stop.clone()));
        Self { webhooks, stop, running }
    }

    pub fn view(&self) -> WebhookView {
        self.webhooks.views().remove(0)
    }

    /// Ends it as the daemon does.
    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }

    /// Waits until it is seen to fare so.
    pub async fn wait(&self, what: &str, wanted: impl Fn(&WebhookView) -> bool) -> WebhookView {
        for _ in 0..6000 {
            let view = self.view();
            if wanted(&view) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what}: {:?}", self.view());
    }
}

pub fn mac(n: u16) -> MacAddr {
    let [a, b] = n.to_be_bytes();
    MacAddr::new([0x52, 0x54, 0, 0x88, a, b]).unwrap()
}

pub fn assign(why: &str) -> Order {
    Order::AssignPersona {
        persona: "lab".parse().unwrap(),
        arm: false,
        not_before: None,
        expires: None,
        why: Some(why.to_owned()),
    }
}

pub async fn order(engine: &Handle, mac: MacAddr, order: Order) {
    let reply = engine.ask(Request::Command(Command { mac, by: "ann".into(), order })).await.unwrap();
    assert_eq!(reply, Reply::Done);
}

/// What `/healthz` says of the webhook.
pub fn trouble(house: &House) -> Option<String> {
    house.context.health().troubles.get("webhook desk").cloned()
}
