//! What a process tree uses, read from `/proc`.

use std::{fs, path::Path};

/// Memory and processor time of a process and its children.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Resident memory in bytes.
    pub(crate) rss: u64,
    /// Processor time in seconds, user and system, of the living and of children waited for.
    pub(crate) cpu: f64,
}

/// Usage of process `pid` with all its children; zero for a process that is gone.
pub(crate) fn usage(pid: u32) -> Usage {
    let mut total = one(pid);
    for child in children(pid) {
        let used = usage(child);
        total.rss += used.rss;
        total.cpu += used.cpu;
    }
    total
}

fn one(pid: u32) -> Usage {
    let read = |name: &str| {
        fs::read_to_string(Path::new("/proc").join(pid.to_string()).join(name)).unwrap_or_default()
    };
    let status = read("status");
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = kilobytes.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    // Fields 14 to 17 of proc(5) `stat`: utime, stime, cutime, cstime, in ticks of 1/100 s; counted from behind the
    // name.
    let stat = read("stat");
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Usage { rss: kilobytes.unwrap_or(0) * 1024, cpu: ticks as f64 / 100.0 }
}

fn children(pid: u32) -> Vec<u32> {
    let tasks =
        fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")).into_iter().flatten().flatten();
    let lists = tasks.map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// What the machine is, for reports: processor and cores.
pub(crate) fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores")
}
