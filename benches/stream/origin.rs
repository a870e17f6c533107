//! An origin behind a slow line: a child of the bench in a namespace of its own.
//!
//! ```text
//!   __origin FOLDER BYTES_PER_SECOND
//! ```
//! It serves the files of a folder, whole or from an offset, to all connections together no faster than the line; `/sent`
//! tells how many bytes of files it has sent so far.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::{self, sleep},
    time::{Duration, Instant},
};

/// What begins the command line of an origin.
pub const WORD: &str = "__origin";

pub const PORT: u16 = 80;

/// What is sent at once: a hundredth of a second's worth at 100 Mbit/s, about.
const PIECE: usize = 128 << 10;

struct Origin {
    folder: PathBuf,
    line: Line,
    sent: AtomicU64,
}

/// How far a line may fall behind and still catch up: this process does not always get its turn at once, and a real line
/// would have had something to send meanwhile.
const BURST: Duration = Duration::from_millis(100);

/// The line, a token bucket: each piece waits until those before it are through.
struct Line {
    bytes_per_second: f64,
    free: Mutex<Instant>,
}

impl Line {
    fn pass(&self, bytes: usize) {
        let mut free = self.free.lock().unwrap();
        let now = Instant::now();
        let begins = (*free).max(now - BURST);
        let through = begins + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second);
        *free = through;
        drop(free);
        sleep(through.saturating_duration_since(now));
    }
}

/// The child. It ends with its parent.
pub fn run(words: &[String]) -> ExitCode {
    let [folder, rate] = words else { panic!("{WORD} FOLDER BYTES_PER_SECOND") };
    let line = Line { bytes_per_second: rate.parse().unwrap(), free: Mutex::new(Instant::now()) };
    let origin = Arc::new(Origin { folder: folder.into(), line, sent: AtomicU64::new(0) });
    for connection in TcpListener::bind(("0.0.0.0", PORT)).unwrap().incoming() {
        let origin = origin.clone();
        // A client that hangs up is its own business.
        thread::spawn(move || origin.serve(connection.unwrap()));
    }
    ExitCode::SUCCESS
}

impl Origin {
    /// Answers the requests of one connection.
    fn serve(&self, connection: TcpStream) -> io::Result<()> {
        let mut lines = BufReader::new(connection.try_clone()?).lines();
        let mut answer = connection;
        while let Some(request) = lines.next().transpose()? {
            let name = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
            let mut from = 0;
            for header in lines.by_ref() {
                let header = header?.to_ascii_lowercase();
                if header.is_empty() {
                    break;
                }
                let range = header.strip_prefix("range: bytes=").and_then(|range| range.split('-').next());
                from = range.and_then(|first| first.parse().ok()).unwrap_or(from);
            }
            match name.as_str() {
                "sent" => {
                    let sent = self.sent.load(Relaxed).to_string();
                    write!(answer, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{sent}", sent.len())?;
                }
                name => self.send(&mut answer, &self.folder.join(name), from)?,
            }
        }
        Ok(())
    }

    fn send(&self, answer: &mut TcpStream, path: &Path, from: u64) -> io::Result<()> {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        let status = match from {
            0 => "200 OK".to_owned(),
            from => format!("206 Partial Content\r\nContent-Range: bytes {from}-{}/{len}", len - 1),
        };
        write!(answer, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", len - from)?;
        file.seek(SeekFrom::Start(from))?;
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            self.line.pass(read);
            answer.write_all(&piece[..read])?;
            self.sent.fetch_add(read as u64, Relaxed);
        }
    }
}
