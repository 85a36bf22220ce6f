//! How much memory this process may have.
//!
//! A container's limit is that of its control group, of version 1 or 2, or of a group above it. What the
//! process sees of the groups depends on its namespace: its own group may be the root of the tree that is
//! mounted, or lie deep in it.

use std::path::Path;

/// Above this, version 1 means that there is no limit.
const NO_LIMIT: u64 = 1 << 60;

/// Bytes of memory available to the process: the machine's memory, or the limit of its control group if
/// that is lower. On macOS, where no safe call returns it, 4 GiB, which every such machine has.
#[must_use]
pub fn memory_bytes() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let info = rustix::system::sysinfo();
        #[allow(clippy::useless_conversion)] // 32 bits wide on some systems.
        let machine = u64::from(info.totalram).saturating_mul(u64::from(info.mem_unit));
        machine.min(group_limit(Path::new("/")).unwrap_or(u64::MAX))
    }
    #[cfg(not(target_os = "linux"))]
    {
        4 << 30
    }
}

/// The lowest limit of the process's control groups, in a system whose files lie below `root`.
#[must_use]
pub fn group_limit(root: &Path) -> Option<u64> {
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let tree = root.join("sys/fs/cgroup");
    let mut limits = Vec::new();
    for line in groups.lines().chain(["0::/", "0:memory:/"]) {
        // `4:memory:/docker/1234` in version 1, `0::/user.slice` in version 2.
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let is_memory = controllers.split(',').any(|name| name == "memory");
        let (places, file) = match controllers {
            "" => ([tree.clone(), tree.join("unified")], "memory.max"),
            _ if is_memory => {
                ([tree.join("memory"), tree.join(controllers)], "memory.limit_in_bytes")
            }
            _ => continue,
        };
        for above in Path::new(group.trim_start_matches('/')).ancestors() {
            // `max` does not parse: there is no limit.
            let read = |place: &Path| std::fs::read_to_string(place.join(above).join(file)).ok();
            let texts = places.iter().filter_map(|place| read(place));
            limits.extend(texts.filter_map(|text| text.trim().parse::<u64>().ok()));
        }
    }
    limits.into_iter().filter(|limit| *limit < NO_LIMIT).min()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MIB: u64 = 1 << 20;

    #[track_caller]
    fn check(files: &[(&str, &str)], limit: Option<u64>) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert_eq!(group_limit(root.path()), limit, "{files:?}");
    }

    /// OWN-8
    #[test]
    fn limits_are_found_in_both_versions_and_in_groups_above() {
        let (own, of_64) = ("proc/self/cgroup", "67108864\n");
        check(&[], None);
        check(&[(own, "0::/\n"), ("sys/fs/cgroup/memory.max", "max\n")], None);
        check(&[(own, "0::/\n"), ("sys/fs/cgroup/memory.max", of_64)], Some(64 * MIB));
        let nested = "0::/user.slice/app.service\n";
        check(
            &[
                (own, nested),
                ("sys/fs/cgroup/user.slice/memory.max", of_64),
                ("sys/fs/cgroup/user.slice/app.service/memory.max", "134217728\n"),
            ],
            Some(64 * MIB),
        );
        let first = "5:cpu,cpuacct:/a\n4:memory:/docker/12\n0::/docker/12\n";
        check(
            &[(own, first), ("sys/fs/cgroup/memory/docker/12/memory.limit_in_bytes", of_64)],
            Some(64 * MIB),
        );
        // A container sees its own group as the root, under the name of the host's.
        check(
            &[(own, first), ("sys/fs/cgroup/memory/memory.limit_in_bytes", of_64)],
            Some(64 * MIB),
        );
        check(
            &[
                (own, first),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ],
            None,
        );
    }
}
