//! Leaving root behind, once every port is bound: what strangers send is read by a user who owns the state and nothing else.
//!
//! glibc changes the user of every thread at once, those of the runtime and of the engine among them, and the kernel takes
//! all capabilities away with it. The sockets stay open.

use std::{
    ffi::CString,
    fs, io,
    os::unix::fs::{MetadataExt, lchown},
    path::Path,
};

use nix::unistd::{Uid, User, initgroups, setresgid, setresuid};

/// Becomes the user called `name`, who from then on owns `owned` and everything in it.
pub(super) fn become_user(name: &str, owned: &[&Path]) -> Result<(), String> {
    let known = User::from_name(name).map_err(|error| format!("the user {name} cannot be looked up: {error}"))?;
    let make = || format!("there is no user {name}: make one (`useradd --system {name}`), or change `user`");
    let user = known.ok_or_else(make)?;
    if Uid::effective() == user.uid {
        return Ok(());
    }
    if !Uid::effective().is_root() {
        return Err(format!("only root can become {name}: start greenroom as root or as {name}, or remove `user`"));
    }
    for path in owned {
        give(path, &user).map_err(|error| format!("{} cannot be given to {name}: {error}", path.display()))?;
    }
    let became = CString::new(name).map_err(io::Error::other).and_then(|name| {
        initgroups(&name, user.gid)?;
        setresgid(user.gid, user.gid, user.gid)?;
        Ok(setresuid(user.uid, user.uid, user.uid)?)
    });
    became.map_err(|error| format!("greenroom cannot become {name}: {error}"))
}

/// Gives a file or a whole folder to a user. Links are given, not followed.
fn give(path: &Path, user: &User) -> io::Result<()> {
    let about = fs::symlink_metadata(path)?;
    if about.uid() != user.uid.as_raw() {
        lchown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            match give(&entry?.path(), user) {
                // The image cache works already: what it replaced in the meantime needs no owner.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                given => given?,
            }
        }
    }
    Ok(())
}
