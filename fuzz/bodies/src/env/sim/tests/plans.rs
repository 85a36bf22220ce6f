use super::*;

const NEW: &str = "/v/new";
/// [`SECTOR_BYTES`], as lengths in memory are counted.
const SECTOR: usize = 512;

/// `/v/log` with three sectors of `a`, synced; then, unsynced: its second sector overwritten (0), a
/// sector added (1), a file made (2), written (3) and renamed (4).
fn dirty() -> (SimFs, Vec<u64>) {
    let fs = disk();
    let log = open(&fs, LOG);
    log.set_len(3 * SECTOR_BYTES).unwrap();
    log.write_all_at(&vec![b'a'; 3 * SECTOR], 0).unwrap();
    log.sync_data().unwrap();
    log.write_all_at(&vec![b'b'; SECTOR], SECTOR_BYTES).unwrap();
    log.write_all_at(&vec![b'c'; SECTOR], 3 * SECTOR_BYTES).unwrap();
    create(&fs, "/v/prep").write_all_at(&vec![b'd'; 2 * SECTOR], 0).unwrap();
    fs.rename(Path::new("/v/prep"), Path::new(NEW)).unwrap();
    let pending = fs.pending();
    let sectors: Vec<u64> = pending.iter().map(|change| change.sectors).collect();
    assert_eq!(sectors, [1, 1, 0, 2, 0]);
    assert_eq!(pending[4].path, Path::new(NEW));
    let numbers = pending.iter().map(|change| change.number).collect();
    (fs, numbers)
}

/// What the log's sectors begin with after `plan`, and the first bytes of the new file's sectors
/// with its name.
fn after(plan: impl Fn(&[u64]) -> CrashPlan) -> (String, String) {
    let (fs, numbers) = dirty();
    fs.crash(plan(&numbers));
    let show = |path: &str| {
        let sectors = content(&fs, path)?;
        let first = sectors.chunks(SECTOR).map(|sector| sector[0]);
        Some(first.map(|byte| if byte == 0 { '0' } else { char::from(byte) }).collect::<String>())
    };
    let new = show(NEW).map(|text| format!("new {text}"));
    let new = new.or_else(|| show("/v/prep").map(|text| format!("prep {text}")));
    (show(LOG).unwrap(), new.unwrap_or_default())
}

#[test]
fn a_plan_names_the_changes_that_reach_the_disk() {
    let pair = |log: &str, new: &str| (log.to_owned(), new.to_owned());
    assert_eq!(after(|_| CrashPlan::KeepAll), pair("abac", "new dd"));
    assert_eq!(after(|_| CrashPlan::DropAll), pair("aaa", ""));
    assert_eq!(after(|n| CrashPlan::DropOne(n[0])), pair("aaac", "new dd"));
    assert_eq!(after(|n| CrashPlan::DropOne(n[1])), pair("aba", "new dd"));
    assert_eq!(after(|n| CrashPlan::DropOne(n[2])), pair("abac", ""), "the rename builds on it");
    assert_eq!(after(|n| CrashPlan::DropOne(n[3])), pair("abac", "new "));
    assert_eq!(after(|n| CrashPlan::DropOne(n[4])), pair("abac", "prep dd"));
    assert_eq!(after(|n| CrashPlan::KeepOne(n[1])), pair("aaac", ""));
    assert_eq!(after(|n| CrashPlan::KeepOne(n[4])), pair("aaa", ""), "there is nothing to rename");
    let tear = |change, sectors| CrashPlan::Tear { change, sectors };
    assert_eq!(after(|n| tear(n[3], 1)), pair("abac", "new d"));
    assert_eq!(after(|n| tear(n[0], 0)), pair("aaac", "new dd"));
    assert_eq!(after(|_| CrashPlan::NamesOnly), pair("aaa", "new "));
    assert_eq!(after(|_| CrashPlan::ContentOnly), pair("abac", ""));
    assert_eq!(after(|_| CrashPlan::SizesOnly), pair("aaa0", "new 00"));
    assert_eq!(after(|_| CrashPlan::BytesOnly), pair("aba", "new "));
}

#[test]
fn rot_meets_only_what_was_not_synced() {
    for seed in 0..200 {
        let (fs, _) = dirty();
        fs.crash(CrashPlan::Rot(seed));
        let (log, new) = (content(&fs, LOG).unwrap(), content(&fs, NEW).unwrap());
        let bits = |bytes: &[u8], wanted: &[u8]| -> u32 {
            let sectors = bytes.chunks(SECTOR).zip(wanted);
            sectors
                .flat_map(|(sector, byte)| sector.iter().map(move |at| (at ^ byte).count_ones()))
                .sum()
        };
        assert_eq!(bits(&log, b"abac") + bits(&new, b"dd"), 1, "seed={seed}");
        assert!(log[..512].iter().chain(&log[1024..1536]).all(|byte| *byte == b'a'));
    }
}

#[test]
fn the_hash_of_an_image_tells_what_is_durable() {
    let (fs, _) = dirty();
    let before = fs.durable_hash();
    open(&fs, LOG).write_all_at(b"z", 0).unwrap();
    assert_eq!(fs.durable_hash(), before, "not synced");
    open(&fs, LOG).sync_data().unwrap();
    let synced = fs.durable_hash();
    assert_ne!(synced, before);
    fs.sync_dir(Path::new(DIR)).unwrap();
    assert_ne!(fs.durable_hash(), synced, "a name counts");
    let fork = fs.fork();
    assert_eq!(fork.durable_hash(), fs.durable_hash());
    fork.overwrite(Path::new(LOG), 600, &[7]).unwrap();
    assert_ne!(fork.durable_hash(), fs.durable_hash());
}
