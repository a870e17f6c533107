//! `greenroom predict status`.

use crate::{
    app,
    predict::{Score, learn::Report},
    serve::predict::Standings,
    usage::quality::Tally,
};

use super::{Done, Global, client::Daemon, out, say, say_json};

pub(super) async fn run(global: &Global) -> Done {
    let standings: Standings = Daemon::new(global)?.get("/predict").await?;
    if global.json {
        return say_json(&standings);
    }
    let (status, policy, now) = (&standings.status, &standings.policy, app::clock());
    let in_use = match &status.in_use {
        None => "nothing yet".to_owned(),
        Some(version) => {
            format!("{}, trained {} ago on {} examples", version.name, now.since(version.trained), version.examples)
        }
    };
    let next = match (&status.learning, status.next) {
        (Some((since, done)), _) => format!("now, for {}: {:.0} %", now.since(*since), 100.0 * done),
        (None, Some(next)) if status.new_examples > 0 => match next.since(now).0 {
            0 => "at once".into(),
            _ => format!("in {}", next.since(now)),
        },
        (None, _) => "when something new is known".into(),
    };
    let may = match (policy.choose, policy.arm) {
        (false, _) => "nothing but warm the cache".to_owned(),
        (true, arm) => {
            format!("act from {} on, be proposed from {} on, arm {}", policy.act(), policy.propose, armed(arm))
        }
    };
    let stale = match standings.until {
        None => None,
        Some(until) if until < now => Some("the predictions are stale, and not used".to_owned()),
        Some(until) => Some(format!("in {} if nobody looks after them", until.since(now))),
    };
    let rows = [
        ("in use", Some(in_use)),
        ("because", status.in_use.as_ref().map(|version| version.report.why.clone())),
        ("tempered", status.in_use.as_ref().and_then(|version| version.tempered.clone())),
        ("predicts", Some(format!("{} devices; {} predictions made since the start", standings.devices, status.made))),
        ("may", Some(may)),
        ("stale", stale),
        ("examples", Some(format!("{}, {} of them new", status.examples, status.new_examples))),
        ("next lesson", Some(next)),
        ("trouble", status.trouble.clone()),
    ];
    let rows = rows.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    say(&rows.map(|(name, value)| format!("{name:12} {value}")).collect::<Vec<_>>().join("\n"));
    if let Some(version) = &status.in_use {
        say("");
        say_report(&version.report);
    }
    say(&format!("\nThe last 30 days:\n{}", fared(&status.quality)));
    if !status.previous.is_empty() {
        say("\nBefore it:");
        let mut table = out::table(&["version", "predicted by", "trained", "examples", "log-loss"]);
        for version in &status.previous {
            let used = version.report.entries.iter().find(|entry| entry.in_use);
            table.add_row([
                version.number.to_string(),
                version.name.clone(),
                format!("{} ago", now.since(version.trained)),
                version.examples.to_string(),
                used.map(|entry| format!("{:.3}", entry.score.log_loss)).unwrap_or_default(),
            ]);
        }
        out::say_table(&table, "");
    }
    Ok(())
}

fn armed(arm: crate::model::site::ArmPredicted) -> &'static str {
    match arm {
        crate::model::site::ArmPredicted::Never => "no device",
        crate::model::site::ArmPredicted::NewDevices => "new devices",
    }
}

/// How everything did on what was held out.
pub(super) fn say_report(report: &Report) {
    say(&format!("On the latest {} examples, each predicted from what was known before it:", report.held_out));
    let mut table = out::table(&[
        "",
        "predicted by",
        "top-1",
        "top-3",
        "log-loss",
        "brier",
        "ece",
        "at 90 %",
        "acts",
        "right",
        "on",
    ]);
    for entry in &report.entries {
        let Score { rows, top_1, top_3, log_loss, brier, ece, coverage_at_90, acted, acted_right } = entry.score;
        let share = |share: f64| format!("{:.1} %", 100.0 * share);
        let mut row = vec![if entry.in_use { "*" } else { "" }.to_owned(), entry.name.clone()];
        match rows {
            0 => row.extend(vec!["-".to_owned(); 8]),
            _ => row.extend([
                share(top_1),
                share(top_3),
                format!("{log_loss:.3}"),
                format!("{brier:.3}"),
                format!("{ece:.3}"),
                share(coverage_at_90),
                share(acted),
                if acted > 0.0 { share(acted_right) } else { "-".into() },
            ]),
        }
        row.push(rows.to_string());
        table.add_row(row);
    }
    out::say_table(&table, "nothing was held out");
    if report.left_out > 0 {
        say(&format!(
            "{} examples of the rarest personas were left out: there are too many personas.",
            report.left_out
        ));
    }
}

fn fared(tally: &Tally) -> String {
    let line = |what: &str, right: u64, wrong: u64| match right + wrong {
        0 => format!("  {what:34} none"),
        all => format!("  {what:34} {right} of {all} right ({:.0} %)", 100.0 * right as f64 / all as f64),
    };
    [
        line("acted", tally.acted_right, tally.acted_wrong),
        line("sure, but somebody spoke first", tally.could_right, tally.could_wrong),
        line("not sure enough", tally.unsure_right, tally.unsure_wrong),
        format!("  {:34} {} accepted, {} declined", "proposals", tally.accepted, tally.declined),
    ]
    .join("\n")
}
