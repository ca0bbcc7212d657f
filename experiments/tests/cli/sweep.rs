use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use super::{Place, files};

/// Whether a program is there to check with.
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn has(program: &str, arguments: &[&str]) -> bool {
    let found = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: no {program} {}", arguments.join(" "));
    }
    found
}

fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

fn sweep(place: &Place, launcher: &str) -> String {
    let ran =
        place.run(&["sweep", "smoke", "--launcher", launcher, "--out", "a study", "--parallel", "3"]).ends_with(0);
    assert!(ran.out.contains("collect: seawall ablate smoke --out a study"), "{}", ran.out);
    assert_eq!(place.read("a study/trials.txt").lines().count(), 8);
    ran.out
}

/// The commands of an engine run every trial, and the study is complete.
fn is_complete(place: &Place) {
    let ran = place.run(&["ablate", "smoke", "--out", "a study"]).ends_with(0);
    assert!(ran.err.contains("8 trials, 8 of them complete"), "{}", ran.err);
}

#[test]
fn slurm_runs_every_index_and_queues_again_what_it_was_told_to_stop() {
    let place = Place::new();
    assert!(sweep(&place, "slurm").contains("start:   sbatch a study/slurm.sh"));
    let path = place.path("a study/slurm.sh");
    succeeds(&Command::new("bash").arg("-n").arg(&path).output().unwrap());
    let text = fs::read_to_string(&path).unwrap();
    for part in ["--array=0-7%3", "--requeue", "--signal=B:TERM@120", "--cpus-per-task=1"] {
        assert!(text.contains(&format!("#SBATCH {part}\n")), "{part}: {text}");
    }
    fs::create_dir(place.path("bin")).unwrap();
    script(&place.path("bin/scontrol"), "#!/bin/sh\necho \"$@\" >>\"$CALLS\"\n");
    let task = |index: usize, seawall: &Path| {
        let mut command = Command::new("bash");
        command.arg(&path).env("SEAWALL", seawall).env("CALLS", place.path("calls"));
        command.env("PATH", format!("{}:{}", place.path("bin").display(), std::env!("PATH")));
        command.env("SLURM_ARRAY_TASK_ID", index.to_string()).env("SLURM_ARRAY_JOB_ID", "41");
        command
    };
    let seawall = Path::new(env!("CARGO_BIN_EXE_seawall"));
    for index in 0..8 {
        succeeds(&task(index, seawall).output().unwrap());
    }
    is_complete(&place);
    assert!(!place.path("calls").exists());
    assert_eq!(task(8, seawall).output().unwrap().status.code(), Some(2));

    // A trial that saves when it is told to, and takes its time for it.
    let slow = place.path("bin/slow");
    script(
        &slow,
        "#!/bin/bash\ntrap 'sleep 0.2; exit 75' TERM\ntouch \"$CALLS.ready\"\nwhile :; do sleep 0.05; done\n",
    );
    let mut child = task(5, &slow).spawn().unwrap();
    while !place.path("calls.ready").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    succeeds(&Command::new("kill").args(["-TERM", &child.id().to_string()]).output().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(75));
    assert_eq!(place.read("calls"), "requeue 41_5\n");
}

#[test]
fn kubernetes_reads_the_job_and_its_command_runs_every_index() {
    let place = Place::new();
    assert!(sweep(&place, "kubernetes").contains("start:   kubectl apply -f a study/job.yaml"));
    if !has("python3", &["-c", "import yaml"]) {
        return;
    }
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let output = Command::new("python3").args(["-c", read]).arg(place.path("a study/job.yaml")).output().unwrap();
    succeeds(&output);
    let job: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let spec = &job["spec"];
    assert_eq!((&job["kind"], &spec["completionMode"]), (&"Job".into(), &"Indexed".into()));
    assert_eq!((&spec["completions"], &spec["parallelism"]), (&8.into(), &3.into()));
    let rules = spec["podFailurePolicy"]["rules"].as_array().unwrap();
    let codes: Vec<(&str, &serde_json::Value)> =
        rules.iter().map(|rule| (rule["action"].as_str().unwrap(), &rule["onExitCodes"]["values"])).collect();
    assert_eq!(codes[1..], [("Ignore", &serde_json::json!([75])), ("FailIndex", &serde_json::json!([1, 2]))]);
    let pod = &spec["template"]["spec"];
    // A pod failure policy wants pods that are not restarted in place.
    assert_eq!(pod["restartPolicy"], "Never");
    let container = &pod["containers"][0];
    assert_eq!(container["name"], rules[1]["onExitCodes"]["containerName"]);
    let folder = place.path("a study").canonicalize().unwrap();
    assert_eq!(container["volumeMounts"][0]["mountPath"], folder.display().to_string());
    let words = container["command"].as_array().unwrap().iter().chain(container["args"].as_array().unwrap());
    let words: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
    let bin = Path::new(env!("CARGO_BIN_EXE_seawall")).parent().unwrap();
    for index in 0..8 {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("PATH", format!("{}:{}", bin.display(), std::env!("PATH")));
        command.env("STUDY", container["env"][0]["value"].as_str().unwrap());
        succeeds(&command.env("JOB_COMPLETION_INDEX", index.to_string()).output().unwrap());
    }
    is_complete(&place);
}

/// As much of Ray as the driver asks for: tasks run when they are waited for, and an interrupted one once more.
const RAY: &str = r#"
import sys

def init(address=None): pass

def remote(num_cpus, max_retries, retry_exceptions):
    def wrap(function):
        class Task:
            @staticmethod
            def remote(*arguments):
                def run():
                    for attempt in range(max_retries + 1):
                        try: return function(*arguments)
                        except tuple(retry_exceptions):
                            if attempt == max_retries: raise
                return run
        return Task
    return wrap

def wait(tasks, num_returns): return tasks[:num_returns], tasks[num_returns:]

def get(task): return task()
"#;

#[test]
fn rays_driver_runs_every_trial_again_until_it_is_done_and_reports_what_failed() {
    let place = Place::new();
    assert!(sweep(&place, "ray").contains("start:   python a study/ray_driver.py"));
    if !has("python3", &["--version"]) {
        return;
    }
    let driver = place.path("a study/ray_driver.py");
    succeeds(&Command::new("python3").args(["-m", "py_compile"]).arg(&driver).output().unwrap());
    place.write("modules/ray.py", RAY);
    // The first attempt at every trial is told to stop.
    let once = format!(
        "#!/bin/sh\nmark=\"$MARKS/$5\"\n[ -e \"$mark\" ] || {{ touch \"$mark\"; exit 75; }}\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_seawall")
    );
    script(&place.path("once"), &once);
    fs::create_dir(place.path("marks")).unwrap();
    let run = |seawall: &Path| {
        let mut command = Command::new("python3");
        command.arg(&driver).env("PYTHONPATH", place.path("modules")).env("SEAWALL", seawall);
        command.env("MARKS", place.path("marks")).output().unwrap()
    };
    succeeds(&run(&place.path("once")));
    assert_eq!(files(place.path("marks")).len(), 8);
    is_complete(&place);
    script(&place.path("broken"), "#!/bin/sh\nexit 1\n");
    let failed = run(&place.path("broken"));
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("trial 7 ended with 1"), "{failed:?}");
}

#[test]
fn the_local_launcher_runs_the_study() {
    let place = Place::new();
    place.run(&["--quiet", "sweep", "smoke", "--launcher", "local", "--out", "a study"]).ends_with(0);
    is_complete(&place);
    place.run(&["sweep", "smoke", "--launcher", "cloud", "--out", "b"]).ends_with(2);
    // A rehearsal is one wherever it runs: three arms with one seed, and two rules.
    let rehearsal = ["--seeds", "1", "--decisions", "32", "--out", "short"];
    let ran = place.run(&[&["sweep", "smoke", "--launcher", "ray"][..], &rehearsal].concat()).ends_with(0);
    assert!(ran.out.contains("collect: seawall ablate smoke --out short --seeds 1 --decisions 32"), "{}", ran.out);
    assert_eq!(place.read("short/trials.txt").lines().count(), 5);
}
