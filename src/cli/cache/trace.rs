//! `greenroom cache trace`.

use crate::stage::replay::Sample;

use super::{Done, Global, out, say_json};

pub(super) const ABOUT: &str = "\
Make up a trace of requests, to try the cache with.

All are made for a RAM tier of 8 GiB and a disk tier of 40 GiB, to be tight in both; the same seed gives the same trace.

  lab-day  a day of classes: rooms of machines boot the same image together; others boot what they like
  scan     a hot set, while a mirror job reads every image once, four times a day
  shift    a week in which new versions replace old ones, and machines are installed anew in waves
  loop     images in turn, over and over, a fifth more of them than the disk holds
  burst    new images that everybody wants for some minutes, and never again
  uniform  every image is as likely as any other";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What kind: lab-day, scan, shift, loop, burst or uniform.
    kind: Sample,
    /// Another seed gives another trace of the same kind.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: &Args, global: &Global) -> Done {
    let requests = args.kind.requests(args.seed);
    if global.json {
        return say_json(&requests);
    }
    let mut text = String::from("time,object,size\n");
    for request in requests {
        text.push_str(&request.to_string());
        text.push('\n');
    }
    out::write(&text);
    Ok(())
}
