//! A profile as a persona and an image.

use crate::{
    model::{Effect, image::ImageName},
    persona::{
        Persona,
        schema::{Distribution, Target},
    },
};

use super::{
    super::{
        Folder, ImageDraft, LeftBehind, PersonaDraft,
        draft::{self, NO_DISK},
        folder::Object,
    },
    Import,
    boot::{self, Boot},
    ignition,
};

impl Import {
    pub(super) fn profile(&mut self, folder: &Folder, profile: &Object<'_>) {
        // Matchbox looks a profile up by the stem of its file.
        let id = profile.stem;
        if profile.text("id").is_some_and(|written| written != id) {
            let what = format!("the id `{}`", profile.text("id").unwrap_or_default());
            let why = "Matchbox finds a profile by the name of its file: so does the import";
            self.out.left_behind.push(LeftBehind::look(&profile.place("id"), &what, why, ""));
        }
        let Some(boot) = boot::read(profile, &mut self.out.left_behind) else {
            let why = "a profile without a kernel boots nothing";
            self.out.left_behind.push(LeftBehind::lost(profile.path, &format!("profile {id}"), why, ""));
            return;
        };
        if boot.installs {
            let why = "Greenroom has no Fedora CoreOS of its own: it would not hear that coreos-installer is done, and \
                       would install again";
            let help = "write an installing persona for Flatcar, or one that runs from memory";
            self.out.left_behind.push(LeftBehind::lost(&profile.place("args"), &format!("profile {id}"), why, help));
            self.used.extend(profile.text("ignition_id").map(|file| format!("ignition/{file}")));
            return;
        }
        let image = self.image(profile, &boot);
        let description = profile.text("name").map_or_else(|| format!("Matchbox' profile {id}"), str::to_owned);
        let mut persona = draft::bare_persona(&description, image, boot.distribution);
        persona.os.kernel_args = boot.own_args.clone();
        let mut comments = vec![];
        if let Some(disk) = self.configs(folder, profile, &mut persona) {
            if disk.is_none() {
                comments.push(format!("Name the disk: {NO_DISK} is no device's, so nothing is wiped until you do."));
                let what = format!("persona {id} installs, to a disk that nothing names");
                let help = "write its path under `os.install.disk`";
                let why = "Greenroom never takes the first disk";
                self.out.left_behind.push(LeftBehind::look(profile.path, &what, why, help));
            }
            comments.push("Destructive: its Ignition config called an installer.".to_owned());
            persona.effect = Effect::Destructive;
            persona.os.install = Some(draft::install_to(disk));
        }
        if boot.fedora_coreos {
            let why = "Greenroom has no Fedora CoreOS of its own: the persona is rendered as for Flatcar, which reads \
                       Ignition too";
            let help = "compare `greenroom persona render` with the config before";
            let what = format!("persona {id} is of Fedora CoreOS");
            self.out.left_behind.push(LeftBehind::look(profile.path, &what, why, help));
        }
        let name = self.personas.give(id, "profile", profile.path, &mut self.out.left_behind);
        let Ok(name) = name.parse::<crate::model::PersonaName>() else { return };
        self.of_profile.insert(id.to_owned(), name.clone());
        self.out.personas.push(PersonaDraft { name, place: profile.path.to_owned(), comments, persona });
    }

    /// The image of what is booted: that of another profile when it boots the same.
    fn image(&mut self, profile: &Object<'_>, boot: &Boot) -> ImageName {
        let same =
            |image: &&ImageDraft| image.files == boot.files && image.args == boot.image_args && image.arch == boot.arch;
        if let Some(image) = self.out.images.iter().find(same) {
            return image.name.clone();
        }
        let wanted = format!("{}-image", profile.stem);
        let mut quiet = vec![];
        let name = self.images.give(&wanted, "image", profile.path, &mut quiet);
        let name: ImageName = name.parse().expect("names are given valid");
        let distribution = (boot.distribution != Distribution::Other).then(|| boot.distribution.to_string());
        self.out.images.push(ImageDraft {
            name: name.clone(),
            place: profile.path.to_owned(),
            description: format!("What Matchbox' profile {} boots", super::super::name::one_line(profile.stem)),
            arch: boot.arch,
            distribution,
            version: None,
            files: boot.files.clone(),
            args: boot.image_args.clone(),
        });
        name
    }

    /// The configs that the profile names: Ignition 3.x as JSON carries over. When it installs: the disk, if it says which.
    fn configs(&mut self, folder: &Folder, profile: &Object<'_>, persona: &mut Persona) -> Option<Option<String>> {
        let mut installs = None;
        if let Some(file) = profile.text("ignition_id") {
            let path = format!("ignition/{file}");
            let what = format!("the Ignition config of profile {}", profile.stem);
            match folder.texts.get(&path) {
                None => {
                    let why = format!("there is no readable {path}");
                    self.out.left_behind.push(LeftBehind::lost(&profile.place("ignition_id"), &what, &why, ""));
                }
                Some(text) => match ignition::read(text) {
                    Ok(_) if persona.target() != Target::Ignition => {
                        let why = "the profile boots no system that reads Ignition, as far as its kernel's name and \
                                   arguments tell";
                        let help = "set `os.distribution: flatcar` and paste it under `raw.ignition` if it does";
                        self.out.left_behind.push(LeftBehind::lost(&path, &what, why, help).with_text(file, text));
                    }
                    Ok(config) if ignition::installs(&config) => {
                        let why = "it installs, which Greenroom does by itself: the persona is what is installed";
                        let help = "if the config that it installed is known, put it under `raw.ignition`";
                        self.out.left_behind.push(LeftBehind::lost(&path, &what, why, help).with_text(file, text));
                        installs = Some(ignition::disk(&config));
                    }
                    Ok(mut config) => {
                        let spared = ignition::spare_disks(&mut config);
                        if !spared.is_empty() {
                            let what = format!("{what}: storage.{}", spared.join(", storage."));
                            let why = "it writes to disks at every boot, and an ephemeral persona leaves them alone";
                            let help = "put it under `raw.ignition.storage` if no disk can lose anything by it";
                            self.out.left_behind.push(LeftBehind::lost(&path, &what, why, help).with_text(file, text));
                        }
                        persona.raw.ignition = config;
                    }
                    Err((why, help)) => {
                        self.out.left_behind.push(LeftBehind::lost(&path, &what, &why, help).with_text(file, text));
                    }
                },
            }
            self.used.push(path);
        }
        let others = [
            ("cloud_id", "cloud", "cloud-config of Container Linux, which no system reads any more"),
            ("generic_id", "generic", "a generic config is a text of your own, which only its reader understands"),
        ];
        for (key, dir, why) in others {
            let Some(file) = profile.text(key) else { continue };
            let path = format!("{dir}/{file}");
            let help = "say with the persona's fields what it says; `raw` takes what they cannot";
            let what = format!("the {dir} config of profile {}", profile.stem);
            let left = match folder.texts.get(&path) {
                Some(text) => LeftBehind::lost(&path, &what, why, help).with_text(file, text),
                None => LeftBehind::lost(&profile.place(key), &what, &format!("there is no readable {path}"), ""),
            };
            self.out.left_behind.push(left);
            self.used.push(path);
        }
        installs
    }
}
