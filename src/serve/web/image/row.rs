//! An image and its files, as the list and its own page show them.

use serde::Serialize;

use crate::{
    images::Usage,
    model::{
        Bytes, Digest,
        image::{ImageName, Role, Tier},
        staged::Because,
    },
    serve::{Context, image::ImageView},
};

/// An image.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Which.
    pub(super) name: ImageName,
    /// What it is, in a line.
    pub(super) description: String,
    /// What it runs on.
    pub(super) arch: String,
    /// The tier that it is pinned to.
    pub(super) pin: Option<Tier>,
    /// How much room it takes.
    pub(super) usage: Usage,
    /// How often it is expected to be booted within the horizon.
    pub(super) expected: f64,
    /// Its files.
    pub(super) files: Vec<FileRow>,
}

/// A file of an image.
#[derive(Debug, Serialize)]
pub(super) struct FileRow {
    /// What it is for.
    pub(super) role: Role,
    /// Which blob.
    pub(super) digest: Digest,
    /// The nearest tier that has all of it.
    pub(super) tier: Tier,
    /// Its length, when anybody knows it.
    pub(super) len: Option<Bytes>,
    /// What of it no other blob shares.
    pub(super) unique: Bytes,
    /// How much of it has come, when it is on its way.
    pub(super) coming: Option<Bytes>,
    /// How often it was asked for of late.
    pub(super) heat: f64,
    /// How often it is expected to be asked for within the horizon.
    pub(super) forecast: f64,
    /// Why it is there, or is not.
    pub(super) because: Because,
    /// Whether its image is pinned.
    #[serde(skip)]
    pub(super) pinned: bool,
}

impl Row {
    /// Where it is pinned to, in a word.
    pub(super) fn pinned_to(&self) -> Option<&'static str> {
        self.pin.map(|tier| if tier == Tier::Ram { "RAM" } else { "the disk" })
    }

    pub(super) fn of(context: &Context, view: ImageView) -> Self {
        let pin = context.engine.world().pins.get(&view.image.name).copied();
        let demand = context.outlook.get();
        let file = |(role, file): (&Role, &crate::model::image::ImageFile)| {
            let found = context.keeper.found(&file.sha256, file.size);
            FileRow {
                role: *role,
                digest: file.sha256,
                tier: found.tier,
                len: found.len,
                unique: view.usage.get(role).map(|usage| usage.unique).unwrap_or_default(),
                coming: found.coming,
                heat: context.keeper.asks(&file.sha256).0,
                forecast: demand.asks.get(&file.sha256).copied().unwrap_or_default(),
                because: found.because,
                pinned: pin.is_some(),
            }
        };
        let files: Vec<FileRow> = view.image.files.iter().map(file).collect();
        Self {
            // Each boot asks for the kernel once.
            expected: files.iter().find(|file| file.role == Role::Kernel).map_or(0.0, |file| file.forecast),
            files,
            pin,
            usage: view.together,
            arch: view.image.arch.to_string(),
            description: view.image.description,
            name: view.image.name,
        }
    }
}

impl FileRow {
    /// The badge of where it is.
    pub(super) const fn tone(&self) -> &'static str {
        match self.tier {
            Tier::Ram => "good",
            Tier::Disk => "info",
            Tier::Origin => "",
        }
    }

    /// Where it is, in words.
    pub(super) fn place(&self) -> String {
        match (self.tier, self.coming) {
            (Tier::Origin, Some(came)) => format!("coming, {came} so far"),
            (tier, _) => tier.to_string(),
        }
    }

    /// Why it is there, in words.
    pub(super) const fn why(&self) -> &'static str {
        match self.because {
            Because::Forecast => "staged for a forecast",
            Because::Discover => "pulled up for a device that came",
            Because::Itself if self.pinned => "pinned",
            Because::Itself => "kept: asked for of late",
            Because::Late => "wanted, and not here yet",
            Because::Not => "fetched when it is asked for",
        }
    }
}
