//! A real Slurm of one node runs the example's array of eight jobs and the job that joins them;
//! the bytes are those of one run. Skipped, with the reason printed, where Slurm is not installed
//! (`apt-get install slurm-wlm munge`; `.ci/run` does).

#![cfg(unix)]

#[path = "common/place.rs"]
mod place;

use place::{Place, code, err};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

const STUDENT: &str = include_str!("../examples/course/student.toml");
const SUBMIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/slurm.sh");

/// What makes a Slurm.
const PROGRAMS: [&str; 5] = ["munged", "slurmctld", "slurmd", "sbatch", "sinfo"];

/// Where a program is, if it is installed; daemons lie where only root looks.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path).chain(usual).map(|folder| folder.join(name));
    found.into_iter().find(|path| path.is_file())
}

fn said(program: &str, args: &[&str]) -> String {
    let told = Command::new(program).args(args).output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().to_string()
}

/// A port that nobody listens on.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A cluster of this machine alone, with all its files in one folder. Ended when it is dropped.
struct Slurm {
    conf: PathBuf,
    daemons: Vec<Child>,
}

impl Slurm {
    fn start(folder: &Path) -> Slurm {
        let at = |name: &str| folder.join(name).display().to_string();
        for name in ["state", "spool", "munge"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        let key = folder.join("munge/key");
        fs::write(&key, [7; 1024]).unwrap();
        said("chmod", &["400", key.to_str().unwrap()]);
        let conf = folder.join("slurm.conf");
        fs::write(&conf, configuration(&at)).unwrap();
        let mut slurm = Slurm { conf, daemons: Vec::new() };
        let files = ["socket", "key-file", "pid-file", "log-file", "seed-file"];
        let names = ["munge/socket", "munge/key", "munge/pid", "munge/log", "munge/seed"];
        let options = files.iter().zip(names).map(|(key, name)| format!("--{key}={}", at(name)));
        let mut munge: Vec<String> = options.collect();
        munge.extend(["--foreground".to_string(), "--force".to_string()]);
        slurm.daemon("munged", &munge);
        slurm.until("munge listens", || folder.join("munge/socket").exists());
        slurm.daemon("slurmctld", &["-D".to_string(), "-i".to_string()]);
        slurm.daemon("slurmd", &["-D".to_string()]);
        slurm.until("the node is idle", || {
            let told = slurm.command("sinfo").args(["-h", "-o", "%t"]).output().unwrap();
            String::from_utf8_lossy(&told.stdout).trim() == "idle"
        });
        slurm
    }
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name).unwrap());
        command.env("SLURM_CONF", &self.conf).stdin(Stdio::null());
        command
    }
    fn daemon(&mut self, name: &str, args: &[String]) {
        let mut command = self.command(name);
        let command = command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        self.daemons.push(command.spawn().unwrap());
    }
    fn until(&self, what: &str, reached: impl Fn() -> bool) {
        for _ in 0..300 {
            if reached() {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        let log = |name: &str| fs::read_to_string(self.conf.with_file_name(name));
        panic!("not within 30 s: {what}\n{:?}\n{:?}", log("slurmctld.log"), log("slurmd.log"));
    }
    /// Submits a job from a folder, with our program on its path.
    fn submit(&self, folder: &Path, args: &[&str]) -> Output {
        let ours = Path::new(env!("CARGO_BIN_EXE_regionsim")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.command("sbatch");
        command.current_dir(folder).args(args).env("PATH", format!("{}:{path}", ours.display()));
        command.output().unwrap()
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            // It may be gone already, and nothing depends on it any more.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// More jobs at once than cores: they are short, and Slurm is asked to believe it.
fn configuration(at: &dyn Fn(&str) -> String) -> String {
    let name = said("uname", &["-n"]);
    let host = name.split('.').next().unwrap().to_string();
    let user = said("id", &["-un"]);
    let lines = [
        "ClusterName=regionsim".to_string(),
        format!("SlurmctldHost={host}(127.0.0.1)"),
        format!("SlurmctldPort={}", port()),
        format!("SlurmdPort={}", port()),
        format!("SlurmUser={user}"),
        format!("SlurmdUser={user}"),
        "AuthType=auth/munge".to_string(),
        format!("AuthInfo=socket={}", at("munge/socket")),
        format!("StateSaveLocation={}", at("state")),
        format!("SlurmdSpoolDir={}", at("spool")),
        format!("SlurmctldPidFile={}", at("slurmctld.pid")),
        format!("SlurmdPidFile={}", at("slurmd.pid")),
        format!("SlurmctldLogFile={}", at("slurmctld.log")),
        format!("SlurmdLogFile={}", at("slurmd.log")),
        "ProctrackType=proctrack/pgid".to_string(),
        "TaskPlugin=task/none".to_string(),
        "SwitchType=switch/none".to_string(),
        "MpiDefault=none".to_string(),
        "SelectType=select/cons_tres".to_string(),
        "SelectTypeParameters=CR_CPU".to_string(),
        "SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=1".to_string(),
        "SlurmdParameters=config_overrides".to_string(),
        format!("NodeName={host} NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN"),
        "PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP".to_string(),
    ];
    lines.join("\n") + "\n"
}

#[test]
fn an_array_of_eight_jobs_is_one_run_byte_for_byte() {
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|name| program(name).is_none()).collect();
    if !missing.is_empty() {
        println!("skipped: Slurm is not installed here (no {})", missing.join(", "));
        return;
    }
    let place = Place::with("scenario.toml", STUDENT);
    let cluster = Place::new();
    let slurm = Slurm::start(cluster.folder());
    let array = slurm.submit(place.folder(), &["--parsable", SUBMIT, "scenario.toml", "results"]);
    assert_eq!(code(&array), 0, "{}", err(&array));
    let array = String::from_utf8(array.stdout).unwrap();
    let after = format!("--dependency=afterok:{}", array.trim());
    let merge = "regionsim merge results/*/shard-*-of-8.json --out results";
    let joined = slurm.submit(place.folder(), &["--wait", &after, "--wrap", merge]);
    assert_eq!(code(&joined), 0, "{}", err(&joined));
    for part in 1..=8 {
        assert!(place.path(&format!("results/homework/shard-{part}-of-8.json")).exists(), "{part}");
    }
    let whole = place.run(&["run", "scenario.toml", "--out", "whole"]);
    assert_eq!(code(&whole), 0, "{}", err(&whole));
    for file in ["results.json", "trials.csv", "incidents.csv", "summary.md"] {
        let read = |folder: &str| fs::read(place.path(folder).join("homework").join(file)).unwrap();
        assert_eq!(read("results"), read("whole"), "{file}");
    }
}
