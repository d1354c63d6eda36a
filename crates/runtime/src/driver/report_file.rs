//! A report on disk: whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use phone::{ErrorCode, PhoneError, Ticket};
use report::Journal;

use super::Job;

/// Makes the page, without what is secret, and writes it.
pub(super) async fn write(ticket: Ticket, mut journal: Journal, path: PathBuf) -> Job {
    let written = tokio::task::spawn_blocking(move || {
        journal.rewrite(sip::redact);
        let page = report::page(&journal, concat!("offhook ", env!("CARGO_PKG_VERSION")));
        write_whole(&path, page.as_bytes(), ticket).map_err(|error| failed(&path, &error))
    });
    let outcome = written.await.unwrap_or_else(|broken| {
        let text = "The report could not be made; this is a bug in offhook";
        Err(PhoneError::new(ErrorCode::ReportFailed, text).with_cause(broken.to_string()))
    });
    Job::Report(ticket, outcome)
}

fn failed(path: &Path, error: &io::Error) -> PhoneError {
    let text = format!(
        "The report can't be written to '{}': {error}. Name a file in a folder that is there, may be written to and has room",
        path.display()
    );
    PhoneError::new(ErrorCode::ReportFailed, text)
}

/// Puts it beside its place first: who opens the file finds the one of before or all of the new one.
fn write_whole(path: &Path, text: &[u8], ticket: Ticket) -> io::Result<()> {
    let mut mode = None;
    let path = match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // A terminal or a pipe has no place to be put in.
        Ok(there) if !there.is_file() => return File::create(path)?.write_all(text),
        // What a link names is written, not the link.
        Ok(there) => {
            mode = Some(there.permissions());
            fs::canonicalize(path)?
        }
        Err(_) => path.to_owned(),
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let unfinished = format!(
        ".{}.{}.{}",
        name.to_string_lossy(),
        std::process::id(),
        ticket.0
    );
    let beside = path.with_file_name(unfinished);
    let written = fill(&beside, text, mode).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // It may never have been there.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn fill(path: &Path, text: &[u8], mode: Option<fs::Permissions>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Some(mode) = mode {
        // Who may not read what was there may not read this either.
        file.set_permissions(mode)?;
    }
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, which goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("offhook-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
            let mut names: Vec<String> = entries
                .map(|entry| name(entry).to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_there_whole_and_nothing_beside_it() {
        let folder = Folder::new("whole");
        let path = folder.0.join("call.html");
        for text in ["one", "another"] {
            write_whole(&path, text.as_bytes(), Ticket(1)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(folder.names(), ["call.html"]);
    }

    #[test]
    fn what_can_not_be_written_is_an_error_and_leaves_what_was_there() {
        let folder = Folder::new("refused");
        fs::create_dir(folder.0.join("a-folder")).unwrap();
        for name in ["a-folder", "none/call.html", ".."] {
            let refused = write_whole(&folder.0.join(name), b"x", Ticket(1));
            assert!(refused.is_err(), "{name}");
        }
        assert_eq!(folder.names(), ["a-folder"]);
        let text = failed(
            Path::new("/none/call.html"),
            &io::ErrorKind::NotFound.into(),
        );
        assert!(
            text.message.contains("'/none/call.html'"),
            "{}",
            text.message
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_names_is_written() {
        let folder = Folder::new("link");
        let (real, link) = (folder.0.join("real.html"), folder.0.join("link.html"));
        fs::write(&real, "before").unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&real, private).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_whole(&link, b"after", Ticket(1)).unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "after");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&real).unwrap().permissions();
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode);
        assert_eq!(mode & 0o777, 0o600, "who may read it is as before");
    }
}
