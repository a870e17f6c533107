//! Rosters: what reads, what is told of what does not, and that what is written reads back.

use proptest::prelude::*;

use super::*;
use crate::model::{
    Fact, Moment, Record,
    attribute::{AttributeValue, Attributes},
    command::{Line, Order},
};

fn csv(text: impl AsRef<[u8]>) -> Result<Vec<Row>, Vec<String>> {
    told(read(Kind::Devices, Format::Csv, text.as_ref()))
}

fn json(text: &str) -> Result<Vec<Row>, Vec<String>> {
    told(read(Kind::Devices, Format::Json, text.as_bytes()))
}

fn told(read: Result<Vec<Row>, Problems>) -> Result<Vec<Row>, Vec<String>> {
    read.map_err(|problems| {
        assert!(problems.count >= problems.told.len() && problems.count > 0);
        problems.told.iter().map(ToString::to_string).collect()
    })
}

fn said(row: &Row) -> String {
    let one = |(name, value): (&_, &Option<AttributeValue>)| match value {
        Some(value) => format!("{name}={value}"),
        None => format!("{name}-"),
    };
    row.attributes.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_roster_reads_however_a_spreadsheet_wrote_it() {
    for text in [
        "mac,role,location,persona\n52:54:00:00:00:01,dev,\"Berlin, Mitte\",live\n52:54:00:00:00:02,,,-\n",
        "\u{feff}mac;role;location;persona\r\n52-54-00-00-00-01;dev;Berlin, Mitte;live\r\n\r\n525400000002;;;-\r\n",
        "mac\trole\tlocation\tpersona\n52:54:00:00:00:01\t dev \tBerlin, Mitte\tlive\n52:54:00:00:00:02\t\t\t-",
    ] {
        let rows = csv(text).unwrap_or_else(|wrong| panic!("{text:?}: {wrong:?}"));
        assert_eq!(rows.len(), 2, "{text:?}");
        assert_eq!(said(&rows[0]), "location=Berlin, Mitte role=dev");
        assert_eq!(rows[0].persona, Some(Wish::Assign("live".parse().expect("a persona"))));
        assert_eq!((rows[1].persona.clone(), rows[1].attributes.len()), (Some(Wish::Unassign), 0));
    }
    let rows = json(r#"[{"mac": "52:54:00:00:00:01", "role": "dev", "floor": 3, "location": null}]"#).expect("rows");
    assert_eq!(said(&rows[0]), "floor=3 location- role=dev");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    let text = b"mac,role,Bad Name,role\r\n\
        52:54:00:00:00:01,dev,x,y\r\n\
        nonsense,dev,x,y\r\n\
        \r\n\
        52:54:00:00:00:01,dev\r\n\
        52:54:00:00:00:03,\xff,x,y\r\n\
        52:54:00:00:00:01,ops,x,y\r\n\
        ,ops,x,y\r\n\
        52:54:00:00:00:04,\"two\nlines\",x,y\r\n\
        52:54:00:00:00:05,\"open,x,y\r\n52:54:00:00:00:06,dev,x,y\r\n";
    let wrong = csv(text).expect_err("much is wrong");
    let places: Vec<&str> = wrong.iter().map(|problem| problem.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(
        places,
        [
            "line 1, column 3",
            "line 1, column 4",
            "line 3, column 1",
            "line 5",
            "line 6, column 2",
            "line 7",
            "line 8",
            "line 9, column 2",
            "line 11"
        ],
        "{wrong:#?}"
    );
    assert!(wrong[5].ends_with("52:54:00:00:00:01 is in line 2 already"), "{}", wrong[5]);
    assert!(wrong[7].ends_with("is a quote before it not closed?"), "{}", wrong[7]);
    for (text, message) in [
        ("", "the file is empty: its first line names the columns, `mac` and attributes"),
        ("role,location\ndev,berlin\n", "line 1: no column is called `mac`: the first line names the columns"),
        ("\u{fffe}", "line 1, column 1: "),
    ] {
        let wrong = csv(text).expect_err(text);
        assert!(wrong[0].starts_with(message), "{wrong:?}");
    }
    assert_eq!(csv(b"\xff\xfem\0a\0c\0").expect_err("UTF-16"), ["this is UTF-16: save it as UTF-8"]);
    for (text, problem) in [
        ("{}", "this is no JSON list of objects, like [{\"mac\": \"...\", \"role\": \"...\"}]"),
        ("[{}]", "line 1, column 2: this row names nobody: its `mac` is empty"),
        ("[\n  {\"mac\": 3}\n]", "line 2, column 3: mac `3`: "),
        ("[{\"mac\": \"52:54:00:00:00:01\"} {}]", "line 1, column 31: expected `,` or `]`"),
        ("[{\"mac\": \"52:54:00:00:00:01\", \"mac\": \"x\"}]", "line 1, column 2: `mac` comes twice"),
        ("[{\"mac\": \"52:54:00:00:00:01\", \"role\": [1]}]", "line 1, column 2: `role` is no text"),
        ("[\n {\"mac\": \"52:54:00:00:00:01\",\n \"role\" 7}]", "line 3, column 9: expected `:`"),
        ("[7]", "line 1, column 2: invalid type"),
        ("[", "line 1, column 2: the file ends within the list"),
        ("[] x", "line 1, column 4: something stands behind the list"),
    ] {
        let wrong = json(text).expect_err(text);
        assert!(wrong[0].replace("line 1: this row", "line 1, column 2: this row").starts_with(problem), "{wrong:?}");
    }
}

#[test]
fn a_poisoned_file_costs_a_message_and_no_more() {
    let wide = format!("mac{}\n", ",a".repeat(100_000));
    assert_eq!(csv(wide).expect_err("wide"), ["line 1: there are 100001 columns, and 256 are the most"]);
    let bad: String = "mac,role\n".to_owned() + &"x,y\n".repeat(5000);
    let problems = read(Kind::Devices, Format::Csv, bad.as_bytes()).expect_err("bad");
    assert_eq!((problems.told.len(), problems.count), (MOST_TOLD, 5000));
    let line = |n: u32| format!("52:54:00:{:02x}:{:02x}:{:02x},value {n}\n", n >> 16, n >> 8 & 255, n & 255);
    let many: String = "mac,role\n".to_owned() + &(0..1_000_000).map(line).collect::<String>();
    let wrong = csv(many).expect_err("a million rows");
    assert_eq!(wrong, ["there are more than 250000 rows: split the file"]);
    assert!(csv(vec![b'x'; LARGEST + 1]).expect_err("large")[0].contains("64 MiB"));
    assert_eq!(json(&("[".to_owned() + &"[".repeat(200_000))).expect_err("deep").len(), 1);
}

fn world(rows: &[Row]) -> World {
    let mut world = World::default();
    for difference in differences(&world.clone(), rows, false).expect("no two ports of one device") {
        for line in difference.orders {
            let Line::Device { mac, order, .. } = line else { panic!("of devices") };
            let (device, by) = (crate::model::DeviceId::new(mac), "op".to_owned());
            let fact = match order {
                Order::Describe { changes } => Fact::DeviceDescribed { device, changes, by },
                Order::AssignPersona { persona, .. } => {
                    Fact::PersonaAssigned { device, persona, by, not_before: None, expires: None, why: None }
                }
                order => panic!("{order:?}"),
            };
            world.apply(&Record { seq: world.seq + 1, at: Moment::from_millis(1), fact });
        }
    }
    world
}

#[test]
fn a_difference_names_what_changes_and_pruning_takes_away_what_is_not_named() {
    let before = csv("mac,role,location,persona\n52:54:00:00:00:01,dev,berlin,live\n52:54:00:00:00:02,ops,,\n");
    let world = world(&before.expect("rows"));
    let rows = csv("mac,role,persona\n52:54:00:00:00:01,lead,-\n52:54:00:00:00:02,ops,\n52:54:00:00:00:03,,\n");
    let rows = rows.expect("rows");
    let told = |prune| {
        let all = differences(&world, &rows, prune).expect("differences");
        let change = |change: &Change| {
            let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
            format!("{}: {} -> {}", change.what, word(&change.before), word(&change.after))
        };
        let one =
            |d: &Difference| format!("{:?} {}", d.state, d.changes.iter().map(change).collect::<Vec<_>>().join(", "));
        all.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(told(false), ["Changed role: dev -> lead, persona: live -> nothing", "Unchanged ", "New "]);
    assert_eq!(told(true)[0], "Changed location: berlin -> nothing, role: dev -> lead, persona: live -> nothing");
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let value = r#"[ -~äß東"\\,;]{1,20}"#.prop_filter_map("a value", |text: String| text.parse().ok());
    let name = "[a-z]{1,6}|persona|mac".prop_filter_map("a name", |text: String| text.parse().ok());
    prop::collection::btree_map(name, value, 0..5)
}

proptest! {
    #[test]
    fn what_is_written_reads_back_to_no_change(all in prop::collection::vec((attributes(), any::<bool>()), 0..6)) {
        let row = |(n, (attributes, live)): (usize, (Attributes, bool))| Row {
            name: Name::Device(MacAddr::new([0x52, 0x54, 0, 0, 0, n as u8]).expect("unicast")),
            line: 0,
            attributes: attributes.into_iter().map(|(name, value)| (name, Some(value))).collect(),
            persona: live.then(|| Wish::Assign("live".parse().expect("a persona"))),
            active: None,
        };
        let world = world(&all.into_iter().enumerate().map(row).collect::<Vec<_>>());
        let kept = rows(Kind::Devices, &world, |_| true);
        for (format, text) in [
            (Format::Csv, to_csv(Kind::Devices, &kept)),
            (Format::Json, to_json(Kind::Devices, &kept)),
        ] {
            let read = read(Kind::Devices, format, text.as_bytes());
            let read = read.unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
            prop_assert_eq!(read.len(), kept.len());
            for difference in differences(&world, &read, true).expect("one row each") {
                prop_assert_eq!(difference.state, State::Unchanged, "{}: {:?}", text, difference);
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), head in "mac,role\n|\\[\\{\"mac\":|") {
        let bytes = [head.as_bytes(), &bytes].concat();
        for format in [Format::Csv, Format::Json] {
            drop(read(Kind::Devices, format, &bytes));
        }
    }
}
