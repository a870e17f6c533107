//! `greenroom cache plan`: what would move next, or what moves now.

use indicatif::ProgressBar;

use crate::serve::cache::{PlanView, StepView, Stepped, WaitingView};

use super::{Done, Failure, Global, client::Daemon, out, say, say_json};

pub(super) async fn show(global: &Global) -> Done {
    let plan: PlanView = Daemon::new(global)?.get("/cache/plan").await?;
    if global.json {
        return say_json(&plan);
    }
    let mut table = out::table(&["step", "file", "sha256", "size", "because"]);
    for step in &plan.steps {
        table.add_row([step.kind.to_string(), step.name.clone(), step.digest.short(), size(step), step.why.clone()]);
    }
    out::say_table(&table, "everything is where it should be");
    if let Some(hold) = plan.hold.filter(|_| !plan.steps.is_empty()) {
        out::note(&format!("the steps wait: {hold}"));
    }
    plan.waiting.iter().for_each(|waiting| out::note(&left_alone(waiting)));
    Ok(())
}

/// Why a blob is in no plan.
pub(super) fn left_alone(waiting: &WaitingView) -> String {
    format!("{} is left alone for {}: {}", waiting.name, waiting.again_in, waiting.why)
}

pub(super) async fn carry_out(global: &Global) -> Done {
    let (mut steps, mut good) = (0, true);
    let mut bar: Option<ProgressBar> = None;
    let each = |stepped: Stepped| {
        if global.json {
            say(&serde_json::to_string(&stepped).unwrap_or_default());
        }
        match stepped {
            Stepped::Begins { step } => bar = Some(out::bar(&step.name, Some(step.len.0))),
            Stepped::Moved { done, of, .. } => {
                if let Some(bar) = &bar {
                    bar.set_length(of.0);
                    bar.set_position(done.0);
                }
            }
            Stepped::Ended { step, failed } => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
                steps += 1;
                good &= failed.is_none();
                if !global.json {
                    say(&said(&step, failed.as_deref()));
                }
            }
        }
    };
    Daemon::new(global)?.lines(true, "/cache/plan", each).await?;
    if steps == 0 && !global.json {
        say("everything is where it should be");
    }
    if good { Ok(()) } else { Err(Failure::Wanting) }
}

fn said(step: &StepView, failed: Option<&str>) -> String {
    let what = format!("{:8} {} ({}): {}", step.kind, step.name, size(step), step.why);
    match failed {
        None => what,
        Some(why) => format!("{what}\n         failed: {why}"),
    }
}

fn size(step: &StepView) -> String {
    if step.len.0 == 0 { "?".into() } else { step.len.to_string() }
}
