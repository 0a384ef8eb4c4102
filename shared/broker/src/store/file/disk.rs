//! What the file store needs of a disk: so that tests can let one fail and lose what was not synced.

#[cfg(any(test, feature = "testing"))]
pub mod made_up;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// A folder.
pub trait Disk: Send {
    /// The names of the files in it.
    ///
    /// # Errors
    /// Of the operating system, as everywhere here.
    fn names(&self) -> io::Result<Vec<String>>;

    /// A whole file.
    #[allow(clippy::missing_errors_doc, reason = "said above")]
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// A new, empty file in the place of any of this name.
    #[allow(clippy::missing_errors_doc, reason = "said above")]
    fn create(&mut self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, in the place of any that has it.
    #[allow(clippy::missing_errors_doc, reason = "said above")]
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    #[allow(clippy::missing_errors_doc, reason = "said above")]
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Returns when all names stand as they are now, whatever happens to the machine.
    #[allow(clippy::missing_errors_doc, reason = "said above")]
    fn sync_names(&mut self) -> io::Result<()>;
}

/// A file that is written from its beginning to its end.
pub trait DiskFile: Send {
    /// Writes at its end. When it fails, some of it may be there.
    #[allow(clippy::missing_errors_doc, reason = "said above")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was written stands, whatever happens to the machine. When it fails, nobody knows what does.
    #[allow(clippy::missing_errors_doc, reason = "said above")]
    fn sync(&mut self) -> io::Result<()>;

    /// Drops all after the first `len` bytes.
    #[allow(clippy::missing_errors_doc, reason = "said above")]
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

/// A real one.
pub(super) struct Folder {
    path: PathBuf,
    /// Held as long as it is used: two stores in one folder would overwrite each other.
    _lock: File,
}

/// The file whose lock says that a folder is used.
const LOCK: &str = "lock";

impl Folder {
    /// Takes the folder for itself, which it makes where there is none. Nobody else may read what is in it.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when it is used, by this process or another.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut make = fs::DirBuilder::new();
        let mut lock = File::options();
        lock.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
            make.mode(0o700);
            lock.mode(0o600);
        }
        make.recursive(true).create(path)?;
        let lock = lock.open(path.join(LOCK))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }
}

impl Disk for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names
            .filter_map(Result::transpose)
            .filter(|name| !name.as_ref().is_ok_and(|name| name == LOCK))
            .collect()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    fn create(&mut self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(Real(options.open(self.path.join(name))?)))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_names(&mut self) -> io::Result<()> {
        sync_folder(&self.path)
    }
}

/// Returns when the names in a folder stand as they are now. Where a file system does not offer that (CIFS, folders that a virtual machine
/// shares with its host), they stand as soon as it likes.
///
/// # Errors
/// When it offers it and fails.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            tracing::debug!(folder = %path.display(), %error, "its file system does not sync folders");
            Ok(())
        }
        synced => synced,
    }
}

struct Real(File);

impl DiskFile for Real {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        use std::io::Seek as _;
        self.0.set_len(len)?;
        self.0.seek(io::SeekFrom::Start(len)).map(drop)
    }
}
