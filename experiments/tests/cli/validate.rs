use super::Place;

/// The binary without data: every row is there with a verdict, files say what was printed, and the exit code is that of the
/// rows. Which rows pass on four days is luck and not claimed.
#[test]
fn the_table_is_printed_written_and_judged() {
    let place = Place::new();
    let ran = place.run(&["validate", "--quick", "--out", "table"]);
    let rows: serde_json::Value = serde_json::from_str(&place.read("table/validation.json")).unwrap();
    let rows = rows.as_array().unwrap();
    let csv = place.read("table/validation.csv");
    let markdown = place.read("table/validation.md");
    let mut failed = 0;
    for row in rows {
        let id = row["id"].as_str().unwrap();
        assert!(ran.out.contains(id) && csv.contains(id) && markdown.contains(id), "{id} is missing: {ran:#?}");
        failed += usize::from(csv.lines().any(|line| line.starts_with(&format!("{id},")) && line.contains(",FAIL,")));
    }
    assert!(
        ["F6", "F7", "V1", "V6", "V8", "V9", "V10", "V15", "S1"]
            .iter()
            .all(|id| rows.iter().any(|row| row["id"] == *id)),
        "{csv}"
    );
    assert!(ran.out.contains(&format!("{failed} required rows FAIL")), "{}", ran.out);
    // One drawing for each section with closed targets, and the page shows it.
    assert!(markdown.contains("](validation-1.svg)") && place.read("table/validation-1.svg").ends_with("</svg>\n"));
    // Without real windows nothing is compared with them, and the row says so.
    assert!(csv.contains("no --data"), "{csv}");
    ran.ends_with(i32::from(failed > 0));
}

#[test]
fn a_sensitivity_without_a_parameter_of_the_market_is_refused() {
    let place = Place::new();
    place.write(
        "fit.json",
        "{\"estimates\": [{\"name\": \"statistic.hill\", \"value\": 3.0, \"standard_error\": 0.1}]}",
    );
    let ran = place.run(&["validate", "--quick", "--sensitivity", "fit.json"]).ends_with(2);
    assert!(ran.err.contains("fit.json holds no parameter of the market"), "{}", ran.err);
    assert!(!place.path("runs").exists());
}
