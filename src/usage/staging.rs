//! What staging was good for: a fold over attempts.
//!
//! **Seconds saved** are reckoned for each file that was put at hand ahead and then sent whole: the time that its origin takes
//! for so many bytes, as it was measured when it last gave them, less the time that the transfer took. A file that comes while
//! it is fetched is slowed down by the slower of the two, the origin or the device; so a device that is slower than the origin
//! saves nothing, and counts as nothing. Where no origin was ever measured, nothing is counted either.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    Bytes, Digest, Millis, PersonaName,
    staged::{Because, StagedFile},
    timeline::{Boot, Step, Transfer},
};

/// What staging was good for, in all and by persona.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// All attempts.
    pub all: Score,
    /// Those that became each persona.
    pub personas: BTreeMap<PersonaName, Score>,
}

/// How attempts found their files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Attempts that loaded a kernel.
    pub boots: u64,
    /// Of these: that found every file at hand.
    pub ready: u64,
    /// Their files, by why they were at hand, or were not.
    pub files: BTreeMap<Because, u64>,
    /// Bytes of files that were put at hand ahead, and sent.
    pub bytes_ahead: Bytes,
    /// How much longer the devices would have waited for these.
    pub saved: Millis,
}

impl Score {
    /// The share of files that were at hand when their device was about to ask; `None` of none.
    pub fn hit_rate(&self) -> Option<f64> {
        let all: u64 = self.files.values().sum();
        let hits: u64 = self.files.iter().filter(|(because, _)| because.is_hit()).map(|(_, files)| files).sum();
        (all > 0).then(|| hits as f64 / all as f64)
    }

    /// The same in a sentence; `None` when no attempt loaded a kernel.
    pub fn told(&self) -> Option<String> {
        let rate = self.hit_rate()?;
        let files: Vec<String> = Because::ALL
            .into_iter()
            .filter_map(|because| self.files.get(&because).map(|count| format!("{count} {}", because.words())))
            .collect();
        let mut told = format!(
            "{} of {} boots had every file at hand ({:.0} % of files: {})",
            self.ready,
            self.boots,
            rate * 100.0,
            files.join(", ")
        );
        if self.bytes_ahead > Bytes(0) {
            told += &format!("; {} sent from what was put there ahead, {} saved", self.bytes_ahead, self.saved);
        }
        Some(told)
    }

    fn add(&mut self, boot: &Boot, files: &[StagedFile]) {
        self.boots += 1;
        self.ready += u64::from(files.iter().all(|file| file.because.is_hit()));
        for file in files {
            *self.files.entry(file.because).or_default() += 1;
            let Some(transfer) = sent(boot, &file.digest).filter(|_| file.because.is_ahead()) else { continue };
            self.bytes_ahead.0 += transfer.bytes.0;
            let saved = file.origin.map_or(0, |origin| origin.0.saturating_sub(transfer.took.0));
            self.saved.0 += saved;
        }
    }
}

/// What staging was good for in these attempts. Those without the step, from before there was one, are left out.
pub fn report<'a>(boots: impl IntoIterator<Item = &'a Boot>) -> Report {
    let mut report = Report::default();
    for boot in boots {
        let (Some(files), Some(kernel)) = (files(boot), &boot.kernel) else { continue };
        report.all.add(boot, files);
        report.personas.entry(kernel.persona.name.clone()).or_default().add(boot, files);
    }
    report
}

/// How an attempt found its files: as they stood when its script was last delivered.
pub fn files(boot: &Boot) -> Option<&[StagedFile]> {
    boot.steps.iter().rev().find_map(|moved| match &moved.step {
        Step::Staged { files } => Some(&files[..]),
        _ => None,
    })
}

/// How many files an attempt found at hand, of how many.
pub fn at_hand(boot: &Boot) -> Option<(usize, usize)> {
    let files = files(boot)?;
    Some((files.iter().filter(|file| file.because.is_hit()).count(), files.len()))
}

/// The first transfer of all of a blob's bytes.
fn sent(boot: &Boot, wanted: &Digest) -> Option<Transfer> {
    boot.steps.iter().find_map(|moved| match &moved.step {
        Step::Blob { digest, transfer, .. } if digest == wanted && transfer.is_whole() => Some(*transfer),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Arch, BootId, DeviceId, Firmware, MacAddr, Moment, PersonaRef, Version,
        image::{Role, Tier},
        plan::KernelBoot,
        timeline::{Moved, Stage},
    };

    fn boot(persona: &str, found: &[(u8, Because, u64)], took: u64) -> Boot {
        let mac: MacAddr = "52:54:00:00:00:01".parse().expect("a port");
        let name: PersonaName = persona.parse().expect("a name");
        let version = Version::new("0123456789012345678901234567890123456789");
        let (firmware, arch) = (Firmware::EfiPxe, Arch::X64);
        let persona = PersonaRef { name, version };
        let kernel = KernelBoot { persona, firmware, arch, files: vec![], args: vec![] };
        let file = |(n, because, origin): &(u8, Because, u64)| StagedFile {
            role: Role::Kernel,
            digest: Digest::new([*n; 32]),
            len: Some(Bytes(1000)),
            tier: Tier::Ram,
            because: *because,
            lead: None,
            coming: None,
            origin: Some(Millis(*origin)),
        };
        let mut steps = vec![Step::Staged { files: found.iter().map(file).collect() }];
        let transfer = Transfer { bytes: Bytes(1000), of: Bytes(1000), took: Millis(took) };
        steps.extend(found.iter().map(|(n, ..)| Step::Blob {
            role: Role::Kernel,
            digest: Digest::new([*n; 32]),
            tier: Tier::Ram,
            transfer,
        }));
        Boot {
            id: BootId::new(1),
            device: DeviceId::new(mac),
            firmware,
            arch: None,
            stage: Stage::Loading,
            began: Moment::default(),
            last: Moment::default(),
            chainloaded: None,
            decision: None,
            kernel: Some(kernel),
            setting: None,
            outcome: None,
            steps: steps.into_iter().map(|step| Moved { at: Moment::default(), step }).collect(),
        }
    }

    #[test]
    fn only_what_was_put_at_hand_ahead_saves_and_no_more_than_the_origin_takes() {
        let boots = [
            boot("a", &[(1, Because::Forecast, 5000), (2, Because::Itself, 9000)], 400),
            boot("a", &[(1, Because::Discover, 300), (2, Because::Late, 9000)], 400),
            boot("b", &[(3, Because::Not, 7000)], 400),
        ];
        let report = report(&boots);
        assert_eq!((report.all.boots, report.all.ready), (3, 1));
        assert_eq!((report.all.saved, report.all.bytes_ahead), (Millis(4600), Bytes(2000)));
        assert_eq!(report.all.hit_rate(), Some(0.6));
        let b = &report.personas[&"b".parse().expect("a name")];
        assert_eq!((b.hit_rate(), b.saved, at_hand(&boots[1])), (Some(0.0), Millis(0), Some((1, 2))));
        assert_eq!(Score::default().hit_rate(), None);
    }
}
