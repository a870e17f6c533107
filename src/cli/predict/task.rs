//! What an evaluation learns from which columns, and what it compares with.

use std::collections::HashMap;

use crate::predict::{Row, Sample, Visit};

use super::{eval::Args, out, sheet::Sheet};

/// The column that names rows.
pub(super) const ROW_ID: &str = "row_id";

/// Where in a sheet the columns of the sample are.
pub(super) struct Places {
    columns: Vec<Option<usize>>,
    groups: Vec<usize>,
    time: Option<usize>,
}

/// What is learned from which columns, and in which order the test is gone through.
pub(super) struct Task {
    columns: Vec<String>,
    groups: Vec<String>,
    label: usize,
    train: Places,
    pub(super) test: Places,
    pub(super) order: Vec<usize>,
    row_id: Option<usize>,
}

impl Task {
    pub(super) fn of(args: &Args, train: &Sheet, test: &Sheet) -> Result<Self, String> {
        let label = train.column(&args.label)?;
        let special = |column: &String| {
            *column == args.label
                || column == ROW_ID
                || args.time.as_ref() == Some(column)
                || args.group.contains(column)
        };
        let columns: Vec<String> = train.columns.iter().filter(|column| !special(column)).cloned().collect();
        for column in columns.iter().filter(|column| test.find(column).is_none()) {
            out::note(&format!("{} has no column `{column}`: it is taken as unknown there", test.name));
        }
        if !columns.is_empty() && columns.iter().all(|column| test.find(column).is_none()) {
            return Err(format!("{} has none of the columns of {}", test.name, train.name));
        }
        let places = |sheet: &Sheet| -> Result<Places, String> {
            Ok(Places {
                columns: columns.iter().map(|column| sheet.find(column)).collect(),
                groups: args.group.iter().map(|column| sheet.column(column)).collect::<Result<_, _>>()?,
                time: args.time.as_ref().map(|column| sheet.column(column)).transpose()?,
            })
        };
        let (in_train, in_test) = (places(train)?, places(test)?);
        let order = in_order(test, in_test.time)?;
        let groups = args.group.clone();
        Ok(Self { label, train: in_train, test: in_test, order, row_id: test.find(ROW_ID), columns, groups })
    }

    pub(super) fn row<'s>(&self, sheet: &'s Sheet, at: usize, places: &Places) -> Result<Row<'s>, String> {
        Ok(Row {
            values: places.columns.iter().map(|column| sheet.value(at, (*column)?)).collect(),
            groups: places.groups.iter().map(|column| sheet.value(at, *column)).collect(),
            at: places.time.map(|column| time(sheet, at, column)).transpose()?,
        })
    }

    pub(super) fn id(&self, test: &Sheet, at: usize) -> String {
        let given = self.row_id.and_then(|column| test.rows[at].get(column));
        given.map_or_else(|| at.to_string(), |id| id.trim().to_owned())
    }

    /// What is learned from, and what the groups were by then.
    pub(super) fn sample(&self, train: &Sheet) -> Result<(Sample, Past), String> {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let mut sample = Sample::new(&columns, &groups);
        let mut past = Past { had: vec![HashMap::new(); groups.len()] };
        let mut unlabelled = 0;
        for at in in_order(train, self.train.time)? {
            let row = self.row(train, at, &self.train)?;
            let Some(label) = train.rows[at].get(self.label).map(str::trim).filter(|label| !label.is_empty()) else {
                unlabelled += 1;
                continue;
            };
            let full = |full| format!("{}, line {}: {full}", train.name, train.line(at));
            sample.push(&row, label).map_err(full)?;
            past.pass(&row, label);
        }
        match unlabelled {
            0 => {}
            1 => out::note(&format!("a row of {} has no label: it is left out", train.name)),
            rows => out::note(&format!("{rows} rows of {} have no label: they are left out", train.name)),
        }
        if sample.is_empty() {
            let label = &train.columns[self.label];
            return Err(format!("{}: no row has a `{label}` to learn from", train.name));
        }
        Ok((sample, past))
    }

    /// The labels of the test's rows, if anybody knows them.
    pub(super) fn truth(&self, args: &Args, test: &Sheet) -> Result<Option<HashMap<usize, String>>, String> {
        let text = |sheet: &Sheet, row: usize, column: usize| {
            sheet.rows[row].get(column).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let Some(path) = &args.labels else {
            let Some(column) = test.find(&args.label) else { return Ok(None) };
            return Ok(Some((0..test.rows.len()).filter_map(|at| Some((at, text(test, at, column)?))).collect()));
        };
        let labels = Sheet::read(path)?;
        let (id, label) = (labels.column(ROW_ID)?, labels.column(&args.label)?);
        let mut of: HashMap<String, String> = HashMap::new();
        for at in 0..labels.rows.len() {
            let (Some(id), Some(label)) = (text(&labels, at, id), text(&labels, at, label)) else { continue };
            if of.insert(id.clone(), label).is_some() {
                return Err(format!("{}, line {}: row_id `{id}` came before", labels.name, labels.line(at)));
            }
        }
        let known = (0..test.rows.len()).filter_map(|at| Some((at, of.remove(&self.id(test, at))?)));
        let known: HashMap<usize, String> = known.collect();
        if known.is_empty() {
            return Err(format!("{} names no row_id of {}", labels.name, test.name));
        }
        match test.rows.len() - known.len() {
            0 => {}
            rows => out::note(&format!("{rows} rows of {} have no label in {}", test.name, labels.name)),
        }
        Ok(Some(known))
    }
}

/// The rows of a sheet, by time if there is one.
fn in_order(sheet: &Sheet, column: Option<usize>) -> Result<Vec<usize>, String> {
    let mut order: Vec<usize> = (0..sheet.rows.len()).collect();
    if let Some(column) = column {
        let times: Vec<i64> = order.iter().map(|at| time(sheet, *at, column)).collect::<Result<_, _>>()?;
        order.sort_by_key(|at| times[*at]);
    }
    Ok(order)
}

/// From here on a number is one of milliseconds: as seconds it would be the year 5138.
const MILLISECONDS: f64 = 1e11;

/// When a row was, in milliseconds since 1970.
fn time(sheet: &Sheet, row: usize, column: usize) -> Result<i64, String> {
    let text = sheet.value(row, column).unwrap_or_default();
    let number = text.parse::<f64>().ok().filter(|number| number.abs() < 1e15);
    let utc =
        |time: jiff::civil::DateTime| Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond());
    let found = match number {
        Some(number) if number.abs() < MILLISECONDS => Some((number * 1000.0) as i64),
        Some(number) => Some(number as i64),
        None => text
            .parse::<jiff::Timestamp>()
            .map(|time| time.as_millisecond())
            .ok()
            .or_else(|| utc(text.parse::<jiff::civil::DateTime>().ok()?))
            .or_else(|| utc(text.parse::<jiff::civil::Date>().ok()?.to_datetime(jiff::civil::Time::midnight()))),
    };
    found.ok_or_else(|| {
        let (name, line, column) = (&sheet.name, sheet.line(row), &sheet.columns[column]);
        format!(
            "{name}, line {line}: `{text}` in `{column}` is no time: seconds since 1970, 2026-11-26 or RFC 3339 are"
        )
    })
}

/// What each group was so far.
pub(super) struct Past {
    had: Vec<HashMap<String, Vec<Visit>>>,
}

impl Past {
    pub(super) fn of(&self, row: &Row<'_>) -> Vec<&[Visit]> {
        self.had
            .iter()
            .zip(&row.groups)
            .map(|(had, group)| group.and_then(|group| had.get(group)).map(Vec::as_slice).unwrap_or_default())
            .collect()
    }

    pub(super) fn pass(&mut self, row: &Row<'_>, label: &str) {
        for (had, group) in self.had.iter_mut().zip(&row.groups) {
            if let Some(group) = group {
                had.entry((*group).to_owned()).or_default().push(Visit { label: label.to_owned(), at: row.at });
            }
        }
    }
}
