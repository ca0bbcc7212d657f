use std::fs::{self, File};
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::{Place, Ran};

/// A page for a full study stays below this.
const BYTES_MAX: usize = 3_000_000;

fn trained(run: &str) -> Place {
    let place = Place::new();
    place.run(&["--quiet", "train", "--config", "smoke", "--out", run]).ends_with(0);
    place
}

fn report(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[&["--quiet", "report"], arguments].concat())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_run_becomes_one_page_that_needs_nothing_else() {
    let place = trained("run");
    let ran = report(&place, &["run"]).ends_with(0);
    assert!(ran.out.starts_with("page: run/report.html, "), "{}", ran.out);
    let page = place.read("run/report.html");
    assert!(page.len() < BYTES_MAX, "{} bytes", page.len());
    for section in
        ["results", "frontier", "tails", "learning", "scenarios", "metrics", "episode", "reproduce", "glossary"]
    {
        assert!(page.contains(&format!("<section id=\"{section}\"")), "{section}");
    }
    for absent in ["id=\"runs\"", "http:", "https:", " src=", "@import", "url(", "<link rel=\"stylesheet\""] {
        assert!(!page.contains(absent), "{absent}");
    }
    let manifest: serde_json::Value = serde_json::from_str(&place.read("run/manifest.json")).unwrap();
    assert!(page.contains(manifest["settings_sha256"].as_str().unwrap()));
    assert!(page.contains("seawall --quiet train --config smoke --out run"), "the command to reproduce it");
    let data = page.split("id=\"episode-data\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    // One episode for each scenario; twelve decisions and the opening.
    assert_eq!(data["duels"].as_array().map(Vec::len), Some(2));
    assert_eq!(data["duels"][0]["tracks"][1]["frames"], 13);
    report(&place, &["run", "--out", "again.html"]).ends_with(0);
    assert_eq!(place.bytes("again.html"), place.bytes("run/report.html"), "a page is a function of its folder");
}

#[test]
fn a_folder_name_is_text_and_not_markup() {
    let place = trained("a<img>&'b");
    report(&place, &["a<img>&'b", "--out", "page.html"]).ends_with(0);
    let page = place.read("page.html");
    assert!(!page.contains("<img>") && page.contains("a&#60;img&#62;&#38;&#39;b"), "the name is not escaped");
}

#[test]
fn an_evaluation_keeps_its_policies_and_is_reported_on_like_a_run() {
    let place = trained("run");
    place.run(&["--quiet", "eval", "run", "run/seed-7/export", "--out", "judged"]).ends_with(0);
    for name in ["smoke", "smoke-2"] {
        let copied = place.bytes(&format!("judged/policies/{name}/policy.bin"));
        assert_eq!(copied, place.bytes("run/export/policy.bin"), "{name}");
    }
    let refused = place.run(&["train", "--resume", "judged"]).ends_with(2);
    assert!(refused.err.contains("judged is the folder of an evaluation"), "{}", refused.err);
    report(&place, &["judged", "--against", "smoke-2", "--scenario", "calm", "--seed", "12"]).ends_with(0);
    let page = place.read("judged/report.html");
    assert!(
        page.contains("calm, seed 12, as asked for: smoke (A) beside smoke-2 (B).")
            && !page.contains("id=\"learning\"")
    );
}

#[test]
fn runs_on_common_episodes_stand_side_by_side() {
    let place = trained("base");
    let set = ["--quiet", "train", "--config", "smoke", "--set", "ppo.clip=0.1", "--out", "narrow"];
    place.run(&set).ends_with(0);
    let other = ["--quiet", "train", "--config", "smoke", "--set", "evaluation.root=1", "--out", "elsewhere"];
    place.run(&other).ends_with(0);
    report(&place, &["base", "narrow", "elsewhere", "--without-episodes", "--out", "page.html"]).ends_with(0);
    let page = place.read("page.html");
    assert!(page.contains("id=\"runs\"") && page.contains("less base"), "no side by side");
    assert!(page.contains("Not compared, for other episodes or other training seeds: elsewhere."));
    assert!(page.contains("id=\"run-2-results\"") && !page.contains("id=\"episode\""));
}

#[test]
fn folders_that_are_no_runs_are_refused_together() {
    let place = trained("run");
    place.write("notes/readme.txt", "");
    copy(&place.path("run"), &place.path("spoilt"));
    let table = place.read("spoilt/episodes.csv");
    let cut: Vec<&str> = table.lines().take(3).collect();
    place.write("spoilt/episodes.csv", &(cut.join("\n") + ",x\n"));
    place.write("spoilt/report.json", &place.read("spoilt/report.json").replace("\"fees\"", "\"luck\""));
    let refused = report(&place, &["run", "nowhere", "notes", "spoilt", "--out", "page.html"]).ends_with(2);
    for part in [
        "nowhere: no such folder",
        "notes/resolved.toml",
        "notes/report.json",
        "notes/episodes.csv",
        "no metric of this version is called \"luck\"",
        "spoilt/episodes.csv",
    ] {
        assert!(refused.err.contains(part), "{part} is missing from: {}", refused.err);
    }
    assert!(!place.path("page.html").exists(), "a refused report leaves no page");
}

#[test]
fn an_episode_that_replays_differently_is_refused() {
    let place = trained("run");
    let judged = place.read("run/episodes.csv");
    // Another value in the return of every episode, which stands after six columns.
    let spoil = |line: &str| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if cells[6] != "return" {
            cells[6] = "-1.25".to_owned();
        }
        cells.join(",") + "\n"
    };
    place.write("run/episodes.csv", &judged.lines().map(spoil).collect::<String>());
    let refused = report(&place, &["run"]).ends_with(2);
    assert!(refused.err.contains("now and returned -1.25 when it was judged"), "{}", refused.err);
    assert!(!place.path("run/report.html").exists());
    report(&place, &["run", "--without-episodes"]).ends_with(0);
    assert!(!place.read("run/report.html").contains("id=\"episode-data\""));
    let refused = report(&place, &["run", "--against", "nobody"]).ends_with(2);
    assert!(refused.err.contains("nobody here is called so; there are smoke, gen1"), "{}", refused.err);
}

#[test]
fn episodes_are_the_same_as_csv_and_as_parquet() {
    let place = trained("run");
    let text = place.read("run/episodes.csv");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let reader = SerializedFileReader::new(File::open(place.path("run/episodes.parquet")).unwrap()).unwrap();
    let mut rows = 0;
    for (line, row) in lines.zip(reader.get_row_iter(None).unwrap()) {
        let row = row.unwrap();
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(row.get_column_iter().count(), cells.len());
        for ((cell, name), (column, field)) in cells.iter().zip(&header).zip(row.get_column_iter()) {
            assert_eq!(column, name);
            match field {
                Field::Null => assert_eq!(*cell, "", "{name}"),
                Field::Str(text) => assert_eq!(text, cell, "{name}"),
                Field::ULong(whole) => assert_eq!(whole.to_string(), *cell, "{name}"),
                Field::Long(whole) => assert_eq!(whole.to_string(), *cell, "{name}"),
                Field::Double(number) => assert_eq!(number.to_bits(), cell.parse::<f64>().unwrap().to_bits(), "{name}"),
                other => panic!("{name} is {other:?}"),
            }
        }
        rows += 1;
    }
    assert_eq!(rows, text.lines().count() - 1);
}

#[test]
fn a_paper_gets_a_table() {
    let place = trained("run");
    let table = place.read("run/report.tex");
    for part in
        ["\\begin{tabular}{lrrrrrr}", "\\toprule", "bad\\_debt (bp of open interest)", "    gen1 & ", "\\end{table}"]
    {
        assert!(table.contains(part), "{part}: {table}");
    }
    // Header and six contenders, each with six separators.
    assert!(table.lines().filter(|line| line.ends_with(" \\\\")).all(|line| line.matches(" & ").count() == 6));
    assert_eq!(table.lines().filter(|line| line.ends_with(" \\\\")).count(), 7);
    assert_eq!(table.matches('{').count(), table.matches('}').count());
}
