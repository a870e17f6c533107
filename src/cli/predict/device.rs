//! `greenroom predict MAC`.

use crate::{
    app,
    boot::foresee::Standing,
    engine::trainer::Look,
    model::MacAddr,
    predict::{Candidate, Driver},
    serve::predict::Foreseen,
};

use super::{Done, Global, client::Daemon, out, say, say_json};

/// How many reasons are shown for a candidate.
const DRIVERS: usize = 3;

pub(super) async fn run(mac: MacAddr, global: &Global) -> Done {
    let foreseen: Foreseen = Daemon::new(global)?.get(&format!("/predict/devices/{mac}")).await?;
    if global.json {
        return say_json(&foreseen);
    }
    let Some(look) = &foreseen.look else {
        say(&format!("{mac}: nothing is predicted: {}", because(&foreseen)));
        return Ok(());
    };
    let known: Vec<String> = look.known.iter().map(|(name, value)| format!("{name} {value}")).collect();
    say(&format!("{mac}: {}", if known.is_empty() { "nothing is known of it".into() } else { known.join(", ") }));
    if !look.visits.is_empty() {
        let latest = look.visits.iter().rev().take(5).map(|visit| visit.label.as_str()).collect::<Vec<_>>();
        say(&format!("became, the latest first: {}", latest.join(", ")));
    }
    let age = app::clock().since(look.trained);
    say(&format!("\nThe {} of {age} ago says:", look.model));
    say_candidates(&look.candidates);
    say("");
    say_baselines(look);
    say(&format!("\n{}", outcome(&foreseen)));
    Ok(())
}

/// The candidates below the decision of `greenroom explain`.
pub(in crate::cli) fn candidates(foreseen: &Foreseen) -> String {
    let ranked = foreseen.prediction.ranked();
    let all: Vec<String> = ranked.iter().take(3).map(|one| format!("{} {}", one.persona, one.probability)).collect();
    let all = if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
    let by = foreseen
        .origin
        .as_ref()
        .map(|origin| format!(" by the {} of {} ago", origin.name, app::clock().since(origin.trained)));
    format!("Predicted{}: {all}\n{}", by.unwrap_or_default(), outcome(foreseen))
}

fn say_candidates(candidates: &[Candidate]) {
    let mut table = out::table(&["persona", "p", "for it and against it"]);
    for candidate in candidates {
        let drivers: Vec<String> = candidate.drivers.iter().take(DRIVERS).map(driver).collect();
        table.add_row([
            candidate.label.clone(),
            format!("{:.3}", candidate.probability),
            if drivers.is_empty() { "nothing in particular".into() } else { drivers.join("; ") },
        ]);
    }
    out::say_table(&table, "nothing");
}

fn driver(driver: &Driver) -> String {
    format!("{} = {} ({:+.1})", driver.feature, driver.value, driver.weight)
}

fn say_baselines(look: &Look) {
    let mut table = out::table(&["baseline", "says", "p"]);
    for (name, best) in &look.baselines {
        let (says, p) = match best {
            Some((persona, probability)) => (persona.clone(), format!("{probability:.3}")),
            None => ("nothing".into(), String::new()),
        };
        table.add_row([name.clone(), says, p]);
    }
    out::say_table(&table, "there is no baseline");
}

/// What comes of it, and why no more does.
fn outcome(foreseen: &Foreseen) -> String {
    match foreseen.standing {
        Standing::Acts => format!("It acts: from {} on, predictions choose the persona.", foreseen.acts_from),
        Standing::Proposed => format!("It is proposed, and does not act: {}.", because(foreseen)),
        Standing::Silent => format!("Nothing comes of it: {}.", because(foreseen)),
    }
}

fn because(foreseen: &Foreseen) -> String {
    foreseen.hindrances.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
