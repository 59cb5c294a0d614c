//! The sandbox a worker enters before it sees foreign bytes.
//!
//! Three walls, each enough against what is behind it: the refusals of `dds-libxslt` (no file, no network), the
//! resource limits of the kernel, and an allow-list of system calls (seccomp) with nothing on it that opens, connects,
//! starts or signals. Reasons in `docs/decisions/0005-worker-sandbox.md`.

use std::{collections::BTreeMap, io};

use libc::{c_int, rlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Enters the sandbox: the calling thread, which must be the only one, can only compute and use its open files.
/// Answers what could not be had (a kernel or container without seccomp); the other walls stand then.
///
/// # Errors
/// If a resource limit cannot be set: the process must not go on.
pub fn enter(memory_bytes: u64) -> io::Result<Option<String>> {
    limit(libc::RLIMIT_AS, memory_bytes)?;
    limit(libc::RLIMIT_FSIZE, 0)?;
    limit(libc::RLIMIT_CORE, 0)?;
    limit(libc::RLIMIT_NPROC, 0)?;
    limit(libc::RLIMIT_NOFILE, 0)?;
    prctl(libc::PR_SET_DUMPABLE, 0)?;
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    let filtered = filter().and_then(|filter| seccompiler::apply_filter(&filter).map_err(io::Error::other));
    Ok(filtered.err().map(|cause| format!("seccomp: {cause}")))
}

/// This process and those it starts leave no memory image behind when they die: keys and applications are in it.
///
/// # Errors
/// If the kernel refuses.
pub fn without_core_dumps() -> io::Result<()> {
    limit(libc::RLIMIT_CORE, 0)
}

/// First act of a worker: dies with the thread that started it, and lets go of every file but the three standard ones.
/// Deeply nested templates need more stack than the usual 8 MiB.
///
/// # Errors
/// If the kernel refuses.
pub fn detach() -> io::Result<()> {
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    // What is meant for the service reaches its whole group: Ctrl-C at a terminal, or a manager that signals all. A
    // worker ends when the service closes its socket, so that jobs under way come to their end.
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: ignoring a signal runs no code of ours.
        if unsafe { libc::signal(signal, libc::SIG_IGN) } == libc::SIG_ERR {
            return Err(io::Error::last_os_error());
        }
    }
    // SAFETY: this thread is the only one and holds no file but the standard ones.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if closed != 0 {
        // Kernel before 5.9. Files of the service are opened close-on-exec anyway.
        // SAFETY: as above.
        (3..1024).for_each(|file| unsafe { _ = libc::close(file) });
    }
    compute();
    let (_, hard) = limits(libc::RLIMIT_STACK)?;
    set_limits(libc::RLIMIT_STACK, STACK_BYTES.min(hard), hard)
}

/// Tells the kernel that this process computes and that nobody waits for its every move: the service, which feeds all
/// workers, then takes the processor from it and not the other way round. A hint; where it is refused, all works on.
fn compute() {
    // SAFETY: sched_param is a plain structure for which zeros are valid.
    let none: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid during the call.
    _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const none) };
}

const STACK_BYTES: u64 = 64 << 20;

/// Allows `seconds` more of processor time, rounded up; then the kernel ends this process. A second line behind the
/// clock of the service.
///
/// # Errors
/// If the kernel refuses.
pub fn allow_cpu(seconds: u64) -> io::Result<()> {
    // SAFETY: rusage is a plain structure for which zeros are valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid during the call.
    check(unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) })?;
    let used = usage.ru_utime.tv_sec.saturating_add(usage.ru_stime.tv_sec);
    let (_, hard) = limits(libc::RLIMIT_CPU)?;
    set_limits(libc::RLIMIT_CPU, u64::try_from(used).unwrap_or(0).saturating_add(seconds + 2).min(hard), hard)
}

fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let (_, hard) = limits(resource)?;
    set_limits(resource, value.min(hard), value.min(hard))
}

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = c_int;

fn limits(resource: Resource) -> io::Result<(u64, u64)> {
    let mut current = rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is valid during the call.
    check(unsafe { libc::getrlimit(resource, &raw mut current) })?;
    Ok((current.rlim_cur, current.rlim_max))
}

fn set_limits(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let wanted = rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: the pointer is valid during the call.
    check(unsafe { libc::setrlimit(resource, &raw const wanted) })
}

fn prctl(option: c_int, value: libc::c_ulong) -> io::Result<()> {
    // SAFETY: the options used take one number and no pointer.
    check(unsafe { libc::prctl(option, value, 0, 0, 0) })
}

fn check(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// System calls that computing, memory, the socket at hand and an orderly end need, whatever their arguments.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_recvfrom,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Everything not allowed answers `EPERM`: libraries that look for a locale or a time zone file go on without it.
fn filter() -> io::Result<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|&call| (call, Vec::new())).collect();
    let not_executable = SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64);
    rules.insert(libc::SYS_mmap, only_if(2, not_executable.clone(), 0)?);
    rules.insert(libc::SYS_mprotect, only_if(2, not_executable, 0)?);
    // `abort` signals its own process; limits are changed for the own process (0).
    rules.insert(libc::SYS_tgkill, only_if(0, SeccompCmpOp::Eq, u64::from(std::process::id()))?);
    rules.insert(libc::SYS_prlimit64, only_if(0, SeccompCmpOp::Eq, 0)?);
    // send(2), which is how std writes to a socket, without an address.
    rules.insert(libc::SYS_sendto, only_if(5, SeccompCmpOp::Eq, 0)?);
    let architecture = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter =
        SeccompFilter::new(rules, refuse, SeccompAction::Allow, architecture).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

fn only_if(argument: u8, operator: SeccompCmpOp, value: u64) -> io::Result<Vec<SeccompRule>> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value);
    let rule = condition.and_then(|condition| SeccompRule::new(vec![condition]));
    rule.map(|rule| vec![rule]).map_err(io::Error::other)
}
