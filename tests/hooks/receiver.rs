//! A receiver: a little HTTP server that answers as a test says, and remembers what it was told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What it was told, and whether it took it.
#[derive(Debug, Clone)]
pub struct Told {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub at: Instant,
    pub taken: bool,
}

impl Told {
    pub fn header(&self, name: &str) -> String {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn device(&self) -> String {
        self.json()["data"]["device"]["id"].as_str().unwrap_or_default().to_owned()
    }

    pub fn seq(&self) -> u64 {
        self.json()["data"]["id"].as_u64().unwrap_or_default()
    }
}

/// What it does with it.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status, with these header lines and this body.
    Say(u16, String, Vec<u8>),
    /// Nothing, ever.
    Hang,
    /// The connection is reset.
    Reset,
    /// A head that promises a body, and then nothing.
    Half,
}

pub fn say(status: u16) -> Answer {
    Answer::Say(status, String::new(), vec![])
}

type Mind = Box<dyn FnMut(&Told) -> Answer + Send>;

pub struct Receiver {
    pub address: SocketAddr,
    told: Arc<Mutex<Vec<Told>>>,
    mind: Arc<Mutex<Mind>>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    pub async fn new(mind: impl FnMut(&Told) -> Answer + Send + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), mind).await
    }

    pub async fn at(address: SocketAddr, mind: impl FnMut(&Told) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let mind: Arc<Mutex<Mind>> = Arc::new(Mutex::new(Box::new(mind)));
        let (heard, asked) = (told.clone(), mind.clone());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, heard.clone(), asked.clone()));
            }
        });
        Self { address, told, mind, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}/greenroom?key=s3cret", self.address)
    }

    /// From now on it does this.
    pub fn change(&self, mind: impl FnMut(&Told) -> Answer + Send + 'static) {
        *self.mind.lock().unwrap() = Box::new(mind);
    }

    /// Every ask so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// What it took, in order, each once, as a receiver drops repeats.
    pub fn taken(&self) -> Vec<Told> {
        let mut seen = std::collections::BTreeSet::new();
        self.told().into_iter().filter(|told| told.taken && seen.insert(told.header("webhook-id"))).collect()
    }

    /// Waits until it is as wanted.
    pub async fn wait<T>(&self, what: &str, wanted: impl Fn(&Self) -> Option<T>) -> T {
        let look = async {
            loop {
                if let Some(found) = wanted(self) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(90), look).await;
        found.unwrap_or_else(|_| panic!("{what}: it never came, after {} asks", self.told().len()))
    }

    pub async fn wait_for(&self, taken: usize) -> Vec<Told> {
        let what = format!("{taken} events");
        self.wait(&what, |receiver| Some(receiver.taken()).filter(|found| found.len() >= taken)).await
    }
}

async fn serve(stream: TcpStream, told: Arc<Mutex<Vec<Told>>>, mind: Arc<Mutex<Mind>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = vec![];
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let headers = head[1..].iter().filter_map(|line| line.split_once(": "));
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let path = head[0].split(' ').nth(1).unwrap().to_owned();
        let mut ask = Told { path, headers, body: String::from_utf8(body).unwrap(), at: Instant::now(), taken: false };
        // Remembered before it is answered: what was acknowledged is known to have been told.
        let answer = {
            let answer = mind.lock().unwrap()(&ask);
            ask.taken = matches!(answer, Answer::Say(200..=299, ..) | Answer::Half);
            told.lock().unwrap().push(ask);
            answer
        };
        match answer {
            Answer::Say(status, headers, body) => {
                let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
                if stream.write_all(head.as_bytes()).await.is_err() || stream.write_all(&body).await.is_err() {
                    return;
                }
            }
            Answer::Half => {
                drop(stream.write_all(b"HTTP/1.1 200 X\r\nContent-Length: 5000000\r\n\r\n").await);
                std::future::pending::<()>().await;
            }
            Answer::Hang => std::future::pending().await,
            Answer::Reset => {
                let socket = socket2::SockRef::from(stream.get_ref());
                socket.set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
        }
    }
}
