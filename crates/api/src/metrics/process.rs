//! What the operating system says about this process. Linux tells it in files; elsewhere the measurements are absent.

use super::family::Family;
use std::fs;

/// Clock ticks a second in what the kernel tells programs, the same on every machine this is built for.
const TICKS: f64 = 100.0;

/// Memory, files, processor time and start.
pub fn families() -> Vec<Family> {
    let times = Times::read();
    let time = |name, help, value| Family::gauge(name, help, value).in_unit("seconds");
    let cpu = |seconds| {
        let values = vec![(Vec::new(), seconds)];
        Family::counters("heddle_process_cpu_seconds", "Processor time used.", values).in_unit("seconds")
    };
    let resident = resident_bytes().map(|bytes| {
        Family::gauge("heddle_process_resident_bytes", "Memory that is in use right now.", bytes).in_unit("bytes")
    });
    let files = open_files().map(|count| Family::gauge("heddle_process_open_fds", "Open file descriptors.", count));
    let started = |at| time("heddle_process_start_time_seconds", "When the process started, since 1970.", at);
    [
        resident,
        files,
        times.as_ref().map(|times| cpu(times.cpu)),
        times.as_ref().and_then(|times| times.started).map(started),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn open_files() -> Option<f64> {
    // Looking takes one itself.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

struct Times {
    cpu: f64,
    started: Option<f64>,
}

impl Times {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The name in brackets may hold anything, so fields are counted from after it: the first one is number 3.
        let fields: Vec<_> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
        let ticks = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let started = boot().zip(ticks(22)).map(|(boot, ticks)| boot + ticks / TICKS);
        Some(Self { cpu: (ticks(14)? + ticks(15)?) / TICKS, started })
    }
}

/// When the machine started, since 1970.
fn boot() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn this_process_is_described() {
        assert_eq!(families().len(), 4);
        assert!(resident_bytes().unwrap() > 100_000.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let started = Times::read().unwrap().started.unwrap();
        assert!(started < now + 2.0 && started > now - 24.0 * 3_600.0, "{started} {now}");
        let before = open_files().unwrap();
        let _file = fs::File::open("/proc/self/stat").unwrap();
        // Other tests open and close files meanwhile.
        assert!(open_files().unwrap() > 0.0 && before > 0.0);
    }
}
