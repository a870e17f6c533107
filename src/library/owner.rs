//! Whose the library's files are. Admins work in it as root (`sudo greenroom persona revert`), while the daemon writes there as
//! a user that may do little else. So **what root writes in somebody's folder is theirs**, and git is run as them: its objects
//! and its index stay theirs, and what they wrote as a hook does not run as root.
//!
//! Where the system does not let us (a container without the capability, a disk of NFS that knows no root), files stay ours
//! and git is run as us, and decides by itself whether it trusts the folder. Whoever is not root changes no owner at all.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, fchown, lchown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{Uid, User};

/// Somebody else, while we are root.
#[derive(Debug, Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// Whose this is, when we are root and it is not ours.
    fn of(about: &fs::Metadata) -> Option<Self> {
        (Uid::effective().is_root() && about.uid() != 0).then(|| Self { uid: about.uid(), gid: about.gid() })
    }

    /// Whose the repository is that a folder lies in.
    fn of_repository(folder: &Path) -> Option<Self> {
        let folder = fs::canonicalize(folder).ok()?;
        let about = folder.ancestors().find_map(|folder| fs::symlink_metadata(folder.join(".git")).ok())?;
        Self::of(&about)
    }
}

/// Puts a file in its place as a whole. It belongs to whoever owns the folder, which is made when it is not there.
pub fn put(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    // A hidden file is no document. Its name cannot be guessed: nobody has put a link there that root would follow.
    let mut file =
        tempfile::Builder::new().prefix(".greenroom-").permissions(Permissions::from_mode(mode)).tempfile_in(folder)?;
    file.write_all(bytes)?;
    give(file.as_file(), folder)?;
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error).map(drop)
}

/// Makes a folder with those above it. New ones belong to whoever owns the one that was there.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new: Vec<&Path> = folder.ancestors().take_while(is_new).collect();
    fs::create_dir_all(folder)?;
    let Some(above) = new.last().map(|first| first.parent().filter(|above| !above.as_os_str().is_empty())) else {
        return Ok(());
    };
    let Some(Owner { uid, gid }) = Owner::of(&fs::metadata(above.unwrap_or(Path::new(".")))?) else { return Ok(()) };
    new.into_iter().try_for_each(|folder| allowed(lchown(folder, Some(uid), Some(gid))))
}

/// Gives an open file to whoever owns what is at `like`: by its handle, for in their folder they may put another at its name.
pub fn give(file: &File, like: &Path) -> io::Result<()> {
    match Owner::of(&fs::metadata(like)?) {
        Some(Owner { uid, gid }) => allowed(fchown(file, Some(uid), Some(gid))),
        None => Ok(()),
    }
}

/// A file that cannot be given is there all the same.
fn allowed(given: io::Result<()>) -> io::Result<()> {
    given.or_else(|error| if error.kind() == io::ErrorKind::PermissionDenied { Ok(()) } else { Err(error) })
}

/// Has a command run as whoever owns the repository that `folder` lies in, with their home and their group and no other.
/// Returns whether that is somebody else. The standard library takes root's other groups away with the user.
pub fn become_owner(command: &mut Command, folder: &Path) -> bool {
    let Some(Owner { uid, gid }) = Owner::of_repository(folder) else { return false };
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let home = user.as_ref().map_or_else(|| PathBuf::from("/nonexistent"), |user| user.dir.clone());
    command.uid(uid).gid(user.map_or(gid, |user| user.gid.as_raw())).env("HOME", home);
    // Root's own settings, which they mostly may not read: git would stop at that.
    command.env_remove("XDG_CONFIG_HOME").env_remove("GIT_CONFIG_GLOBAL");
    true
}
