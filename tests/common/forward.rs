//! Calls that a wrapper of files or of a file system hands on unchanged, so that it shows only what it
//! changes.

/// Methods of [`File`](strongroom::__internals::env::File) that the field answers.
#[allow(unused_macros)]
macro_rules! forward_file {
    ($field:tt: $($method:ident)*) => { $(forward_file!(@$method $field);)* };
    (@read_at $field:tt) => {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
            self.$field.read_at(buffer, offset)
        }
    };
    (@metadata $field:tt) => {
        fn metadata(&self) -> std::io::Result<strongroom::__internals::env::Metadata> {
            self.$field.metadata()
        }
    };
    (@set_len $field:tt) => {
        fn set_len(&self, len: u64) -> std::io::Result<()> {
            self.$field.set_len(len)
        }
    };
    (@len $field:tt) => {
        fn len(&self) -> std::io::Result<u64> {
            self.$field.len()
        }
    };
    (@$sync:ident $field:tt) => {
        fn $sync(&self) -> std::io::Result<()> {
            self.$field.$sync()
        }
    };
}

/// Methods of [`Fs`](strongroom::__internals::env::Fs) that the field answers. `bind` is the wrapper itself:
/// nobody moves a folder in these tests.
#[allow(unused_macros)]
macro_rules! forward_fs {
    ($field:tt: $($method:ident)*) => { $(forward_fs!(@$method $field);)* };
    (@open $field:tt) => {
        fn open(
            &self,
            path: &std::path::Path,
            mode: strongroom::__internals::env::OpenMode,
        ) -> std::io::Result<std::sync::Arc<dyn strongroom::__internals::env::File>> {
            self.$field.open(path, mode)
        }
    };
    (@read_dir $field:tt) => {
        fn read_dir(
            &self,
            path: &std::path::Path,
        ) -> std::io::Result<Vec<strongroom::__internals::env::DirEntry>> {
            self.$field.read_dir(path)
        }
    };
    (@metadata $field:tt) => {
        fn metadata(
            &self,
            path: &std::path::Path,
        ) -> std::io::Result<Option<strongroom::__internals::env::Metadata>> {
            self.$field.metadata(path)
        }
    };
    (@rename $field:tt) => {
        fn rename(&self, from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
            self.$field.rename(from, to)
        }
    };
    (@set_mode $field:tt) => {
        fn set_mode(&self, path: &std::path::Path, mode: u32) -> std::io::Result<()> {
            self.$field.set_mode(path, mode)
        }
    };
    (@free_bytes $field:tt) => {
        fn free_bytes(&self, path: &std::path::Path) -> std::io::Result<u64> {
            self.$field.free_bytes(path)
        }
    };
    (@lock $field:tt) => {
        fn lock(
            &self,
            path: &std::path::Path,
            mode: strongroom::__internals::env::LockMode,
        ) -> std::io::Result<Option<Box<dyn strongroom::__internals::env::LockGuard>>> {
            self.$field.lock(path, mode)
        }
    };
    (@bind $field:tt) => {
        fn bind(
            self: std::sync::Arc<Self>,
            _: &std::path::Path,
        ) -> std::io::Result<std::sync::Arc<dyn strongroom::__internals::env::Fs>> {
            Ok(self)
        }
    };
    (@is_real $field:tt) => {
        fn is_real(&self) -> bool {
            self.$field.is_real()
        }
    };
    // create_dir, remove_file, remove_dir_all, sync_dir
    (@$method:ident $field:tt) => {
        fn $method(&self, path: &std::path::Path) -> std::io::Result<()> {
            self.$field.$method(path)
        }
    };
}

#[allow(unused_imports)]
pub(crate) use {forward_file, forward_fs};
