//! The chart and the picture: what is in them, and that others can read it.

use greenroom::sim::{Scenario, Strategy, chart, plot};

use super::{options, run};

#[test]
fn the_chart_has_a_bar_and_a_figure_for_each_day_and_stays_within_80_columns() {
    let (report, _) = run(&options(Scenario::Office, 12, 14, 1));
    let chart = chart::days(&report, false);
    assert!(chart.lines().all(|line| line.chars().count() <= 86), "{chart}");
    let bars: Vec<&str> = chart.lines().filter(|line| line.contains('│')).collect();
    assert!(bars.len() == 9 && bars.iter().all(|line| line.chars().count() <= 86), "{chart}");
    for strategy in Strategy::ALL {
        assert!(chart.contains(strategy.name()), "{chart}");
    }
    let ours = chart.lines().rfind(|line| line.trim_start().starts_with("greenroom")).unwrap();
    let figures: Vec<&str> = ours.split_whitespace().skip(1).collect();
    assert_eq!((figures.len(), figures[5], figures[6]), (14, "·", "·"), "nobody comes at the weekend: {ours}");
    let coloured = chart::days(&report, true);
    assert!(coloured.contains("\u{1b}[1;32m"), "{coloured}");
}

#[test]
fn long_runs_are_drawn_in_groups_of_days() {
    let (report, _) = run(&options(Scenario::Office, 3, 31, 1));
    let chart = chart::days(&report, false);
    assert!(chart.lines().filter(|line| line.contains('│')).all(|line| line.chars().count() <= 90), "{chart}");
    assert!(chart.contains(" 1    4    7 "), "{chart}");
}

#[test]
fn the_picture_is_well_formed_and_has_a_curve_for_each_strategy_in_both_panels() {
    let (report, _) = run(&options(Scenario::Lab, 8, 3, 1));
    let svg = plot::svg(&report);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.svg");
    std::fs::write(&path, &svg).unwrap();
    let script = "import sys, xml.etree.ElementTree as tree\n\
                  root = tree.parse(sys.argv[1]).getroot()\n\
                  print(root.tag, len([e for e in root.iter() if e.tag.endswith('polyline')]))";
    let read = std::process::Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
    let told = String::from_utf8(read.stdout).unwrap();
    let curves: usize = told.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(told.starts_with("{http://www.w3.org/2000/svg}svg") && curves >= 8, "{told}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}
