//! Tables of the operator's own, which the configuration names.

use std::fs;
use std::path::Path;

use tieout_server::{Listening, Settings, Verifier};

use crate::client::Client;
use crate::house::{House, loopback, run};

/// A configuration that gives everyone a file and a folder, and a clerk the file only.
fn configured(dir: &Path) -> String {
    fs::write(
        dir.join("regions.csv"),
        "party_id,region\nC1,north\nC2,south\n",
    )
    .unwrap();
    fs::create_dir(dir.join("notes")).unwrap();
    fs::write(dir.join("notes/1.json"), "{\"note\":\"one\"}\n").unwrap();
    let verifier = Verifier::of("right").unwrap().written();
    let tables = format!(
        "[tables.regions]\nlocation = \"{}\"\nformat = \"csv\"\n\
         [tables.notes]\nlocation = \"{}\"\nformat = \"json\"\n",
        dir.join("regions.csv").display(),
        dir.join("notes/").display(),
    );
    format!(
        "{tables}[users.ann]\npassword = {verifier:?}\nrole = \"clerk\"\n\
         [users.bob]\npassword = {verifier:?}\n[roles.clerk]\ntables = [\"regions\"]\n"
    )
}

#[test]
fn files_that_the_configuration_names_are_tables_for_those_who_may_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::configured(&configured(dir.path()));
    let mut bob = Client::connect(house.address, "bob", "right").unwrap();
    let joined =
        "select r.region from (values ('C1'), ('C3')) v(party_id) join regions r using (party_id)";
    assert_eq!(bob.ask(joined).one(), "north");
    assert_eq!(bob.ask("select note from notes").one(), "one");
    let about = "select data_type from information_schema.columns where table_name = 'regions' and column_name = 'region'";
    assert_eq!(bob.ask(about).one(), "text");
    let place = dir.path().display();
    let definitions =
        format!("select count(*) from pg_catalog.pg_tables where tablename = '{place}'");
    assert_eq!(bob.ask(&definitions).one(), "0");
    let mut ann = Client::connect(house.address, "ann", "right").unwrap();
    assert_eq!(ann.ask("select count(*) from regions").one(), "2");
    assert_eq!(ann.ask("select * from notes").state(), "42501");
    // A name for files gives no way to others, and none to make another.
    let other = dir.path().join("other.csv");
    fs::write(&other, "a\n1\n").unwrap();
    for sql in [
        format!(
            "create external table other stored as csv location '{}'",
            other.display()
        ),
        format!("select * from '{}'", other.display()),
        "drop table regions".to_owned(),
        "insert into regions values ('C9', 'west')".to_owned(),
        "copy (select 1) to 'x.csv'".to_owned(),
    ] {
        let state = bob.ask(&sql).state().to_owned();
        assert!(
            ["25006", "42501", "42601", "42P01"].contains(&state.as_str()),
            "{sql}: {state}"
        );
    }
}

#[test]
fn they_are_read_as_they_are_and_stay_when_a_run_commits() {
    let dir = tempfile::tempdir().unwrap();
    let text = configured(dir.path());
    let path = dir.path().join("server.toml");
    fs::write(&path, text.split("[users").next().unwrap()).unwrap();
    let ledger = dir.path().join("ledger");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets");
    run(vec![data.join("distributor/parties.csv")], &ledger);
    let settings = Settings::read(&path, Some(loopback())).unwrap();
    let house = House::with(settings, &ledger);
    let mut client = house.client();
    assert_eq!(client.ask("select count(*) from notes").one(), "1");
    fs::write(dir.path().join("notes/2.json"), "{\"note\":\"two\"}\n").unwrap();
    let more = "party_id,region\nC1,north\nC2,south\nC3,west\n";
    fs::write(dir.path().join("regions.csv"), more).unwrap();
    assert_eq!(client.ask("select count(*) from notes").one(), "2");
    run(vec![data.join("treasury")], &ledger);
    assert_eq!(
        client.ask("select count(*) > 0 from transactions").one(),
        "t"
    );
    assert_eq!(client.ask("select count(*) from regions").one(), "3");
    assert_eq!(client.ask("select count(*) from notes").one(), "2");
}

#[test]
fn what_cannot_be_a_table_is_named_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("regions.csv"),
        "party_id,region\nC1,north\n",
    )
    .unwrap();
    for (name, location, word) in [
        ("regions", "nowhere.csv", "regions"),
        ("payments", "regions.csv", "already"),
        ("\"Regions; drop\"", "regions.csv", "small letters"),
        ("regions", "s3://bucket/regions.csv", "regions"),
    ] {
        let path = dir.path().join("server.toml");
        let text = format!("[tables.{name}]\nlocation = \"{location}\"\nformat = \"csv\"\n");
        fs::write(&path, text).unwrap();
        let settings = Settings::read(&path, Some(loopback())).unwrap();
        let error = Listening::start(settings, crate::house::ledger())
            .err()
            .unwrap();
        assert!(error.to_string().contains(word), "{error}");
    }
}
